using System.Security.Cryptography;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>
/// Fashion-MNIST, as much of it as the tutorials ship: 28 x 28 grey pictures of ten kinds of clothes (Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
/// Algorithms", 2017). All 10,000 test images, and the first 3,800 training images of each class, in their original order. The tensors live until <see cref="Dispose"/>, whatever dispose scope they were loaded in.
/// </summary>
public sealed class FashionMnist : IDisposable
{
    /// <summary>The file's name in its folder.</summary>
    public const string FileName = "fashion-mnist.br";

    internal const int TestCount = 10_000;

    private const string FileChecksum = "573550af662935799f24c48d71bb66697adb1fb96078c1c3feadd95bf3bfe22b";

    private FashionMnist(byte[] plain)
    {
        var labels = FashionMnistFile.Labels(plain);
        // Decoded where the tensor has its bytes: no second copy of 38 million pixels.
        using var scope = NewDisposeScope();
        var images = empty([labels.Length, 1, FashionMnistFile.Side, FashionMnistFile.Side], ScalarType.Byte, CPU);
        FashionMnistFile.Decode(plain, images.Span<byte>());
        var numbers = empty([labels.Length], ScalarType.Int64, CPU);
        var span = numbers.Span<long>();
        for (var i = 0; i < labels.Length; i++) span[i] = labels[i];
        TestImages = images.narrow(0, 0, TestCount).clone().DetachFromDisposeScope();
        TestLabels = numbers.narrow(0, 0, TestCount).clone().DetachFromDisposeScope();
        TrainImages = images.narrow(0, TestCount, labels.Length - TestCount).clone().DetachFromDisposeScope();
        TrainLabels = numbers.narrow(0, TestCount, labels.Length - TestCount).clone().DetachFromDisposeScope();
    }

    /// <summary>What the labels 0 to 9 stand for.</summary>
    public static IReadOnlyList<string> ClassNames { get; } = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>The training images: bytes [38000, 1, 28, 28], 0 the ground, 255 the brightest.</summary>
    public Tensor TrainImages { get; }

    /// <summary>The classes of the training images: int64 [38000], 0 to 9, 3,800 of each.</summary>
    public Tensor TrainLabels { get; }

    /// <summary>The test images: bytes [10000, 1, 28, 28].</summary>
    public Tensor TestImages { get; }

    /// <summary>The classes of the test images: int64 [10000], 0 to 9, 1,000 of each.</summary>
    public Tensor TestLabels { get; }

    /// <summary>Reads <see cref="FileName"/>; takes about a second.</summary>
    /// <param name="folder">Where the file is: the repository's <c>tutorials/data</c>.</param>
    /// <exception cref="FileNotFoundException">The folder has no such file.</exception>
    /// <exception cref="InvalidDataException">The file's SHA-256 is another one than that of the file in the repository.</exception>
    public static FashionMnist Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = Path.GetFullPath(Path.Combine(folder, FileName));
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file {path}. It comes with the repository in tutorials/data: pass that folder, or make the file again with make-fashion-mnist.cs, which is there too.", path);
        var packed = File.ReadAllBytes(path);
        var checksum = Convert.ToHexStringLower(SHA256.HashData(packed));
        if (checksum != FileChecksum)
            throw new InvalidDataException(
                $"{path} ({packed.Length} bytes) has the SHA-256 {checksum}, expected {FileChecksum}: it is damaged or of another version. Get it from the repository again (tutorials/data/{FileName}).");
        return new FashionMnist(FashionMnistFile.Unpack(packed));
    }

    /// <summary>Releases the four tensors.</summary>
    public void Dispose()
    {
        TrainImages.Dispose();
        TrainLabels.Dispose();
        TestImages.Dispose();
        TestLabels.Dispose();
    }
}
