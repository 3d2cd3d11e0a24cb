using TorchQuant.Models;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

public sealed class ImageFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("png")]
    [InlineData("bmp")]
    [InlineData("image.jpg")]
    [InlineData("image_progressive.jpg")]
    public void A_file_that_is_cut_off_is_refused_wherever_it_is_cut(string kind)
    {
        var bytes = Whole(kind);
        Read(bytes).Dispose();
        for (var length = 0; length < bytes.Length; length++) Refusal(bytes[..length]);
        Assert.Contains("that is cut off", Refusal(bytes[..^1]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_png_with_any_bit_changed_is_refused()
    {
        var bytes = Whole("png");
        for (var at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= (byte)(1 << (at % 8));
            Refusal(bytes);
            bytes[at] ^= (byte)(1 << (at % 8));
        }
    }

    [Theory]
    [InlineData("image.jpg")]
    [InlineData("image_progressive.jpg")]
    public void A_jpeg_with_bytes_changed_is_read_or_refused_but_ends_nothing(string kind)
    {
        var whole = Whole(kind);
        var random = new Random(5);
        var refused = 0;
        for (var i = 0; i < 500; i++)
        {
            var bytes = whole.ToArray();
            for (var n = random.Next(1, 4); n > 0; n--) bytes[random.Next(2, bytes.Length)] = (byte)random.Next(256);
            try
            {
                Read(bytes).Dispose();
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 10, 490);
    }

    [Fact]
    public void Bytes_between_and_after_the_segments_of_a_jpeg_are_passed_over()
    {
        var bytes = Whole("image.jpg");
        using var expected = Read(bytes);
        using var after = Read([.. bytes, 1, 2, 3]);
        using var fill = Read([.. bytes[..2], 0xFF, 0xFF, .. bytes[2..]]);
        Assert.Equal(expected, after);
        Assert.Equal(expected, fill);
    }

    [Fact]
    public void The_message_names_file_content_expectation_and_mend()
    {
        var message = Refusal("GIF89a and so on"u8.ToArray());
        Assert.Contains($"{_folder.File("image")} (16 bytes, beginning with 4749463839612061): found a file of another kind, expected a whole JPEG, PNG or BMP image.", message, StringComparison.Ordinal);
        Assert.Contains("Get the file again, convert it to PNG, or take it out of the folder.", message, StringComparison.Ordinal);
        var png = Whole("png");
        png[^20] ^= 4;
        Assert.Contains("a PNG with a wrong checksum", Refusal(png), StringComparison.Ordinal);
        var bmp = Whole("bmp");
        bmp[30] = 1;
        Assert.Contains("a BMP with run-length encoding", Refusal(bmp), StringComparison.Ordinal);
        bmp[30] = 0;
        bmp[18] = 0;
        Assert.Contains("a BMP of 0 x 5 pixels", Refusal(bmp), StringComparison.Ordinal);
    }

    private static byte[] Whole(string kind) => kind switch
    {
        "png" => ImageFiles.Png(ImageFiles.Noise(1, 7 * 5 * 3), 7, 5, 3),
        "bmp" => ImageFiles.Bmp(ImageFiles.Noise(1, 7 * 5 * 3), 7, 5),
        _ => File.ReadAllBytes(Oracle.PathOf(kind)),
    };

    private Tensor Read(byte[] bytes)
    {
        var path = _folder.File("image");
        File.WriteAllBytes(path, bytes);
        return ImageFile.Read(path);
    }

    private string Refusal(byte[] bytes) => Assert.Throws<InvalidDataException>(() => Read(bytes)).Message;
}
