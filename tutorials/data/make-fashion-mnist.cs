// Makes fashion-mnist.br of the four files of the Debian package dataset-fashion-mnist: all 10,000 test images and the first 3,800 training images of each
// class, in the order in which they are there.
//
//   apt-get download dataset-fashion-mnist && dpkg-deb -x dataset-fashion-mnist_*.deb fashion-mnist
//   dotnet run make-fashion-mnist.cs -- fashion-mnist/usr/share/datasets/fashion-mnist fashion-mnist.br
//
// Nothing is changed in a pixel. What makes the file small is only the order of the bytes: pixels that are likely to be alike stand together (see Stream).
// Nothing depends on the clock, the culture or the file system's order, so a second run gives the same bytes.

using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Security.Cryptography;

const int ImagesOfClass = 3800, Classes = 10, Side = 28, Area = Side * Side, Levels = 10, Streams = 256 / 8 * Levels;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: dotnet run make-fashion-mnist.cs -- <folder of the *-ubyte.gz files> <fashion-mnist.br>");
    return 1;
}

try
{
    byte[] testImages = Read("t10k-images-idx3-ubyte.gz", "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa")[16..];
    byte[] testLabels = Read("t10k-labels-idx1-ubyte.gz", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05")[8..];
    byte[] allImages = Read("train-images-idx3-ubyte.gz", "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7")[16..];
    byte[] allLabels = Read("train-labels-idx1-ubyte.gz", "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056")[8..];
    int[] chosen = FirstOfEachClass(allLabels);
    byte[] trainImages = [.. chosen.SelectMany(i => allImages.Skip(i * Area).Take(Area))], trainLabels = [.. chosen.Select(i => allLabels[i])];

    byte[] plain = Write([.. testImages, .. trainImages], [.. testLabels, .. trainLabels]);
    byte[] compressed = Compress(plain);
    File.WriteAllBytes(args[1], compressed);
    Report("test images", testImages);
    Report("test labels", testLabels);
    Report("train images", trainImages);
    Report("train labels", trainLabels);
    Report("compressed", compressed);
    return 0;
}
catch (InvalidDataException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

// A file of the package, unpacked. Its header (magic number and sizes) is not needed: the checksum says which file it is.
byte[] Read(string name, string checksum)
{
    byte[] packed = File.ReadAllBytes(Path.Combine(args[0], name));
    if (Checksum(packed) is var found && found != checksum)
        throw new InvalidDataException($"{name} has the SHA-256 {found}, but that of the package dataset-fashion-mnist has {checksum}.");
    using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
    using var unpacked = new MemoryStream();
    gzip.CopyTo(unpacked);
    return unpacked.ToArray();
}

static int[] FirstOfEachClass(byte[] labels)
{
    var taken = new int[Classes];
    return [.. Enumerable.Range(0, labels.Length).Where(i => taken[labels[i]]++ < ImagesOfClass)];
}

// The lengths of the streams as 32-bit little-endian numbers, the labels, the streams one after the other.
static byte[] Write(byte[] images, byte[] labels)
{
    var streams = new List<byte>[Streams];
    for (int s = 0; s < Streams; s++) streams[s] = [];
    for (int image = 0; image < images.Length; image += Area)
        for (int y = 0; y < Side; y++)
            for (int x = 0; x < Side; x++)
                streams[Stream(images.AsSpan(image, Area), y, x)].Add(images[image + y * Side + x]);

    var lengths = new byte[Streams * sizeof(int)];
    for (int s = 0; s < Streams; s++) BinaryPrimitives.WriteInt32LittleEndian(lengths.AsSpan(s * sizeof(int)), streams[s].Count);
    return [.. lengths, .. labels, .. streams.SelectMany(stream => stream)];
}

// A pixel's stream tells what its neighbours promise: a guess at the pixel (PNG's Paeth predictor) in eighths of 256, and how much the neighbours differ, in powers of two.
// They are those that come before it, so that a reader who goes through an image row by row knows the stream of each pixel before the pixel.
static int Stream(ReadOnlySpan<byte> image, int y, int x)
{
    int left = x > 0 ? image[y * Side + x - 1] : 0, up = y > 0 ? image[(y - 1) * Side + x] : 0;
    int corner = x > 0 && y > 0 ? image[(y - 1) * Side + x - 1] : 0, right = y > 0 && x < Side - 1 ? image[(y - 1) * Side + x + 1] : 0;
    int guess = left + up - corner;
    int toLeft = Math.Abs(guess - left), toUp = Math.Abs(guess - up), toCorner = Math.Abs(guess - corner);
    int paeth = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    int activity = Math.Abs(left - corner) + Math.Abs(corner - up) + Math.Abs(up - right);
    return paeth / 8 * Levels + BitOperations.Log2((uint)activity + 1);
}

static byte[] Compress(byte[] bytes)
{
    byte[] buffer = new byte[BrotliEncoder.GetMaxCompressedLength(bytes.Length)];
    return BrotliEncoder.TryCompress(bytes, buffer, out int written, quality: 11, window: 24)
        ? buffer[..written]
        : throw new InvalidOperationException($"Brotli did not compress {bytes.Length} bytes into {buffer.Length}.");
}

static void Report(string name, byte[] bytes) => Console.WriteLine($"{name,-12} {bytes.Length,10:N0} bytes  sha256 {Checksum(bytes)}");

static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
