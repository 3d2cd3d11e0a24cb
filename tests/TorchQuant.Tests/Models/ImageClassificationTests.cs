using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public class ImageClassificationTests
{
    private const int OracleWidth = 71, OracleHeight = 47, OracleBytes = OracleWidth * OracleHeight * 3;

    public static TheoryData<int, int, int, int> Sizes => new()
    {
        { 500, 375, 256, 224 }, { 333, 500, 256, 224 }, { 256, 256, 256, 224 }, { 256, 300, 256, 255 }, { 300, 257, 256, 256 }, { 40, 31, 57, 50 }, { 1, 9, 4, 3 }, { 64, 64, 8, 8 }, { 100, 37, 5, 1 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void An_image_is_resized_and_cropped_as_by_the_plain_triangle_filter(int width, int height, int resize, int crop)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)(width + height));
        var image = randint(0, 256, [3, height, width], dtype: ScalarType.Byte, generator: generator);
        var output = Levels(new ImageClassification(crop, resize, [0, 0, 0], [1, 1, 1]).call(image));
        var expected = PlainResize.ResizeAndCrop(image.data<byte>().ToArray(), 3, height, width, resize, crop);
        Assert.Equal([3, crop, crop], output.shape);
        var differences = output.data<byte>().ToArray().Zip(expected, (a, b) => Math.Abs(a - b)).ToList();
        // The filter's weights are integers in libtorch and Pillow: what lies near the middle of two bytes may go either way.
        Assert.True(differences.Max() <= 1, $"{differences.Max()}");
        Assert.True(differences.Count(d => d > 0) <= 0.02 * differences.Count, $"{differences.Count(d => d > 0)} of {differences.Count}");
    }

    [Fact]
    public void The_bytes_are_Pillows_but_for_a_few_that_are_off_by_one()
    {
        using var scope = NewDisposeScope();
        var oracle = File.ReadAllBytes(Oracle.PathOf("image.bin"));
        var image = Image(oracle[..OracleBytes], OracleHeight, OracleWidth, 3);
        var at = 3 * OracleBytes;
        foreach (var (resize, crop, grey) in new[] { (32, 28, false), (32, 28, true), (64, 60, false) })
        {
            var channels = grey ? 1 : 3;
            var transform = grey ? new ImageClassification(crop, resize, [0], [1], grayscale: true) : new ImageClassification(crop, resize, [0, 0, 0], [1, 1, 1]);
            var expected = Image(oracle[at..(at + (crop * crop * channels))], crop, crop, channels);
            at += crop * crop * channels;
            var difference = (Levels(transform.call(image)).to(ScalarType.Int32) - expected.to(ScalarType.Int32)).abs();
            Assert.InRange(difference.max().item<int>(), 0, 1);
            Assert.InRange(difference.sum().item<long>(), 0, difference.numel() / 50);
        }

        Assert.Equal(oracle.Length, at);
    }

    [Fact]
    public void Values_are_scaled_and_normalized_by_channel()
    {
        using var scope = NewDisposeScope();
        var image = arange(256, ScalarType.Byte).repeat(3).view(3, 16, 16);
        var output = new ImageClassification(16, 16).call(image);
        Assert.True(output.is_contiguous());
        Assert.Equal(ScalarType.Float32, output.dtype);
        // torchvision's operations, one after the other.
        var expected = (image.to(ScalarType.Float32) / 255f).sub(tensor([0.485f, 0.456f, 0.406f]).view(3, 1, 1)).div(tensor([0.229f, 0.224f, 0.225f]).view(3, 1, 1));
        Assert.Equal(expected, output);
    }

    [Fact]
    public void A_view_of_an_image_gives_what_its_copy_gives()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var view = randint(0, 256, [50, 40, 3], dtype: ScalarType.Byte, generator: generator).permute(2, 0, 1);
        foreach (var transform in new[] { new ImageClassification(20, 24), new ImageClassification(20, 24, [0.5f], [0.25f], grayscale: true) })
            Assert.Equal(transform.call(view.contiguous()), transform.call(view));
    }

    [Fact]
    public void Numbers_that_make_no_transform_and_tensors_that_are_no_image_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Equal("crop_size", Assert.Throws<ArgumentOutOfRangeException>(() => new ImageClassification(0)).ParamName);
        Assert.Equal("resize_size", Assert.Throws<ArgumentOutOfRangeException>(() => new ImageClassification(224, 223)).ParamName);
        Assert.Contains("std is [1, 0, 1]; expected numbers above 0", Assert.Throws<ArgumentException>(() => new ImageClassification(std: [1, 0, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("expected 3 finite numbers", Assert.Throws<ArgumentException>(() => new ImageClassification(mean: [1, float.NaN, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("expected 1 finite number, of grey images", Assert.Throws<ArgumentException>(() => new ImageClassification(grayscale: true)).Message, StringComparison.Ordinal);
        var transform = new ImageClassification();
        foreach (var wrong in new[] { rand(3, 300, 300), zeros([1, 300, 300], ScalarType.Byte), zeros([2, 3, 300, 300], ScalarType.Byte), zeros([3, 0, 300], ScalarType.Byte) })
            Assert.Contains("expected Byte [3, height, width]", Assert.Throws<ArgumentException>(() => transform.call(wrong)).Message, StringComparison.Ordinal);
    }

    private static Tensor Image(byte[] pixels, int height, int width, int channels) => tensor(pixels).view(height, width, channels).permute(2, 0, 1);

    private static Tensor Levels(Tensor scaled) => (scaled * 255).round().to(ScalarType.Byte);
}
