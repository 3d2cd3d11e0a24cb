namespace TorchQuant.Interactive;

/// <summary>The unit for sizes that are shown together: MB, or kB where all together are less than one. Units of 1000, as in PyTorch's tutorials.</summary>
internal sealed record SizeUnit(string Name, double Bytes)
{
    public Column Column => new("size", Name, "N2");

    public static SizeUnit For(long totalBytes) => totalBytes >= 1_000_000 ? new SizeUnit("MB", 1e6) : new SizeUnit("kB", 1e3);

    public double Of(long bytes) => bytes / Bytes;

    public double? Of(long? bytes) => bytes / Bytes;
}
