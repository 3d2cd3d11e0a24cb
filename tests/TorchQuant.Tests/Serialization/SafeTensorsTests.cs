using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Serialization;

public class SafeTensorsTests
{
    public static TheoryData<ScalarType> Types => new(
        ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float64, ScalarType.Int64, ScalarType.Int32,
        ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool);

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_type_and_shape_round_trips(ScalarType type)
    {
        foreach (long[] shape in (long[][])[[], [0], [1], [3, 0, 2], [5], [2, 3, 4]])
        {
            using var numbers = randint(0, 100, shape);
            using var written = numbers.to_type(type);
            using var file = new MemoryStream();
            SafeTensors.Write(file, [new("a.b", written)], new Dictionary<string, string> { ["키"] = "값 \"<>\"" });
            file.Position = 0;
            using var read = SafeTensors.Read(file);
            var tensor = Assert.Single(read.Tensors).Value;
            Assert.Equal(type, tensor.dtype);
            Assert.Equal(shape, tensor.shape);
            AssertEqual(written, tensor);
            Assert.Equal("값 \"<>\"", read.Metadata["키"]);
        }
    }

    [Fact]
    public void A_tensor_of_more_than_one_chunk_and_a_transposed_one_round_trip()
    {
        using var large = randn(700, 1001);
        using var transposed = large.t();
        using var file = new MemoryStream();
        SafeTensors.Write(file, [new("large", large), new("transposed", transposed)]);
        file.Position = 0;
        using var read = SafeTensors.Read(file);
        AssertEqual(large, read.Tensors["large"]);
        AssertEqual(transposed, read.Tensors["transposed"]);
    }

    [Fact]
    public void The_layout_is_the_formats_own()
    {
        using var one = tensor(new[] { 1f, 2f });
        var file = new MemoryStream();
        SafeTensors.Write(file, [new("x", one)]);
        var bytes = file.ToArray();
        var length = (int)BitConverter.ToUInt64(bytes);
        Assert.Equal(0, (8 + length) % 8);
        Assert.Equal("""{"__metadata__":{},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", System.Text.Encoding.UTF8.GetString(bytes, 8, length).TrimEnd());
        Assert.Equal([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40], bytes[(8 + length)..]);
    }

    [Fact]
    public void What_the_format_cannot_hold_is_refused_by_name()
    {
        using var x = ones(2);
        using var quantized = quantize_per_tensor(x, 0.1, 0, ScalarType.QUInt8);
        Assert.Contains("q is QUInt8", Assert.Throws<ArgumentException>(() => SafeTensors.Write(new MemoryStream(), [new("q", quantized)])).Message);
        Assert.Contains("'x' stands 2 times", Assert.Throws<ArgumentException>(() => SafeTensors.Write(new MemoryStream(), [new("x", x), new("x", x)])).Message);
    }

    [Property(MaxTest = 200)]
    public void Random_bytes_are_refused(byte[] bytes)
    {
        Assert.Throws<QuantizedFileException>(() => SafeTensors.Read(new MemoryStream(bytes)));
    }

    private static void AssertEqual(Tensor expected, Tensor actual)
    {
        using var equal = expected.eq(actual);
        using var all = equal.all();
        Assert.True(all.item<bool>());
    }
}
