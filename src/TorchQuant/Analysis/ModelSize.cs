using TorchQuant.Analysis;
using TorchQuant.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>How many bytes a model stores, module by module, as its <c>state_dict</c> holds them. Tensors that several modules share count once, where they come first.</summary>
/// <param name="Rows">One row for each module that stores something itself, in the order of the walk.</param>
public sealed record ModelSize(IReadOnlyList<ModuleSize> Rows)
{
    /// <summary>Bytes of all rows.</summary>
    public long TotalBytes { get; } = Rows.Sum(r => r.Bytes);

    /// <summary>Numbers stored in all rows.</summary>
    public long TotalParameters { get; } = Rows.Sum(r => r.Parameters);

    /// <summary><see cref="TotalBytes"/> / 10^6, as PyTorch's tutorials print sizes.</summary>
    public double Megabytes => TotalBytes / 1e6;

    /// <summary>Measures a model: parameters and persistent buffers of float modules, the plain state of quantized ones.</summary>
    /// <param name="model">The model; it is not changed.</param>
    public static ModelSize Of(nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var seen = new HashSet<TensorIdentity>();
        return new ModelSize([.. ModuleTree.Walk(model).Select(m => Row(m.Path, m.Module, seen)).Where(r => r.Bytes > 0)]);
    }

    /// <summary>The sizes of two models, module by module, with ratios.</summary>
    /// <param name="before">The model before, usually float.</param>
    /// <param name="after">The model after, usually quantized.</param>
    public static SizeComparison Compare(nn.Module before, nn.Module after) => new(Of(before), Of(after));

    /// <summary>A table as text.</summary>
    public override string ToString() => new TextTable("module", "type", "parameters", "MB")
        .AlignRight(2, 3)
        .Add(Rows.Select(r => (object[])[r.Path.Length == 0 ? "(model)" : r.Path, r.Type, r.Parameters, TextTable.Megabytes(r.Bytes)]))
        .Add("total", "", TotalParameters, TextTable.Megabytes(TotalBytes))
        .ToString();

    private static ModuleSize Row(string path, nn.Module module, HashSet<TensorIdentity> seen)
    {
        var type = CSharpNames.Of(module.GetType());
        if (module is IQuantizedModule quantized) return new ModuleSize(path, type, Codes(quantized), quantized.WeightBytes);
        long parameters = 0, bytes = 0;
        foreach (var tensor in Own(module))
        {
            if (tensor.IsInvalid || !seen.Add(TensorIdentity.Of(tensor))) continue;
            parameters += tensor.numel();
            bytes += tensor.numel() * tensor.element_size();
        }

        return new ModuleSize(path, type, parameters, bytes);
    }

    private static IEnumerable<Tensor> Own(nn.Module module)
        => TorchSharpPrivates.Parameters(module).Values.Cast<Tensor>().Concat(TorchSharpPrivates.Buffers(module).Values.Where(b => b.Persistent).Select(b => b.Tensor));

    private static long Codes(IQuantizedModule module)
    {
        long count = 0;
        foreach (var (name, tensor) in module.ExportState())
            using (tensor)
                if (!name.EndsWith("_scale", StringComparison.Ordinal) && !name.EndsWith("_zero_point", StringComparison.Ordinal)) count += tensor.numel();
        return count;
    }
}
