using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public sealed class FashionMnistTests
{
    [Fact]
    public void The_test_part_is_the_original_idx_files_byte_for_byte()
    {
        using var data = FashionMnist.Load(Folder());
        // The SHA-256 of the unpacked t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz, with their headers.
        Assert.Equal("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", Checksum([.. Header(0x803, 10_000, 28, 28), .. data.TestImages.bytes]));
        Assert.Equal("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", Checksum([.. Header(0x801, 10_000), .. Labels(data.TestLabels)]));
    }

    [Fact]
    public void The_training_part_is_the_first_3800_of_each_class_of_the_original()
    {
        using var data = FashionMnist.Load(Folder());
        // What make-fashion-mnist.cs reports of the package's own files, whose checksums it knows.
        Assert.Equal("9c491266158c7d183404ab009265dc2c6e92a0aa08c7bd78c3d659802bf395b0", Checksum(data.TrainImages.bytes));
        Assert.Equal("036fb8d1ddf4245e799831aea039002b58eb49cbfda00f615a1076d2cf952853", Checksum(Labels(data.TrainLabels)));
        Assert.Equal(Enumerable.Repeat(3800, 10), Labels(data.TrainLabels).GroupBy(label => label).OrderBy(group => group.Key).Select(group => group.Count()));
    }

    [Fact]
    public void Images_are_byte_tensors_with_one_channel_and_labels_name_classes()
    {
        using var data = FashionMnist.Load(Folder());
        Assert.Equal([38_000, 1, 28, 28], data.TrainImages.shape);
        Assert.Equal([10_000, 1, 28, 28], data.TestImages.shape);
        Assert.Equal([38_000], data.TrainLabels.shape);
        Assert.Equal([10_000], data.TestLabels.shape);
        Assert.Equal((ScalarType.Byte, ScalarType.Byte), (data.TrainImages.dtype, data.TestImages.dtype));
        Assert.Equal((ScalarType.Int64, ScalarType.Int64), (data.TrainLabels.dtype, data.TestLabels.dtype));
        Assert.Equal(10, FashionMnist.ClassNames.Count);
        // The first test image is an ankle boot, the second a pullover.
        Assert.Equal(["Ankle boot", "Pullover"], Labels(data.TestLabels)[..2].Select(label => FashionMnist.ClassNames[label]));
    }

    [Fact]
    public void The_tensors_outlive_the_scope_they_were_loaded_in_until_they_are_disposed()
    {
        FashionMnist data;
        using (NewDisposeScope()) data = FashionMnist.Load(Folder());
        Tensor[] tensors = [data.TrainImages, data.TrainLabels, data.TestImages, data.TestLabels];
        Assert.All(tensors, tensor => Assert.False(tensor.IsInvalid));
        data.Dispose();
        Assert.All(tensors, tensor => Assert.True(tensor.IsInvalid));
    }

    [Fact]
    public void A_missing_file_is_named_with_where_to_get_it()
    {
        using var folder = new TemporaryFolder();
        var error = Assert.Throws<FileNotFoundException>(() => FashionMnist.Load(folder.Path));
        Assert.Contains(Path.Combine(folder.Path, "fashion-mnist.br"), error.Message, StringComparison.Ordinal);
        Assert.Contains("tutorials/data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_named_with_both_checksums_and_the_mend()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "fashion-mnist.br");
        var bytes = File.ReadAllBytes(Path.Combine(Folder(), "fashion-mnist.br"));
        bytes[12_345] ^= 1;
        File.WriteAllBytes(path, bytes);
        var error = Assert.Throws<InvalidDataException>(() => FashionMnist.Load(folder.Path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(Checksum(bytes), error.Message, StringComparison.Ordinal);
        Assert.Contains("Get it from the repository again", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_keeps_its_size_and_the_readme_its_checksum()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Folder(), "fashion-mnist.br"));
        Assert.InRange(bytes.Length, 1, 16_000_000);
        Assert.Contains(Checksum(bytes), File.ReadAllText(Path.Combine(Folder(), "README.md")), StringComparison.Ordinal);
    }

    private static byte[] Labels(Tensor labels) => [.. labels.data<long>().Select(label => (byte)label)];

    // The header of an idx file: a magic number, then the sizes, big-endian.
    private static byte[] Header(params int[] numbers)
    {
        var header = new byte[numbers.Length * sizeof(int)];
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(i * sizeof(int)), numbers[i]);
        return header;
    }

    private static string Checksum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static string Folder([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "tutorials", "data"));
}
