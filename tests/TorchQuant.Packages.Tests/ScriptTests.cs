using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>The scripts of notebooks/scripts, run with the packages of this checkout as a user runs them.</summary>
public class ScriptTests(PackedFeed feed)
{
    private static string Scripts { get; } = Path.Combine(ReadmeExample.Root, "notebooks", "scripts");

    [Fact]
    public void A_torchvision_network_becomes_a_quarter_of_its_size_and_gets_a_page_of_charts()
    {
        var folder = Folder("network", "quantize.cs");
        var output = Shell.Run(folder, "dotnet", ["run", "quantize.cs", "--", "resnet18", "--size", "64", "--out", "made"]);
        AssertQuarter(output, "resnet18", greatest: 0.26);
        Assert.InRange(new FileInfo(Path.Combine(folder, "made", "resnet18-int8.safetensors")).Length, 11_000_000, 12_500_000);
        Assert.Equal(2, Regex.Count(File.ReadAllText(Path.Combine(folder, "made", "resnet18.html")), "<svg"));

        var (code, message) = Shell.TryRun(folder, "dotnet", ["run", "quantize.cs", "--", "resnet19"]);
        Assert.Equal(2, code);
        Assert.Contains("'resnet19' is no network of this script; expected resnet18, resnet50 or mobilenet_v2.", message);
        (code, message) = Shell.TryRun(folder, "dotnet", ["run", "quantize.cs", "--", "--wieghts", "x"]);
        Assert.Equal(2, code);
        Assert.Contains("'--wieghts' is not understood", message);
        Shell.DropBuilds(folder);
    }

    [Fact]
    public void A_language_model_of_fsharp_becomes_a_quarter_of_its_size()
    {
        var folder = Folder("language", "quantize.fsx");
        AssertQuarter(Shell.Run(folder, "dotnet", ["fsi", "quantize.fsx"]), "language model", greatest: 0.27);
        Assert.Equal(2, Regex.Count(File.ReadAllText(Path.Combine(folder, "quantized", "language-model.html")), "<svg"));
    }

    private string Folder(string name, string script)
    {
        var text = File.ReadAllText(Path.Combine(Scripts, script));
        var own = Regex.Replace(text, @"(TorchQuant(?:\.Interactive)?(?:@|, ))0\.1\.0", match => match.Groups[1].Value + feed.Version);
        Assert.NotEqual(text, own);
        return feed.Folder(name, (script, own));
    }

    private static void AssertQuarter(string output, string model, double greatest)
    {
        var sizes = Regex.Match(output, $@"^{model}: ([\d.]+) MB -> ([\d.]+) MB; [\d.]+ ms -> [\d.]+ ms", RegexOptions.Multiline);
        Assert.True(sizes.Success, output);
        double Megabytes(int group) => double.Parse(sizes.Groups[group].Value, CultureInfo.InvariantCulture);
        Assert.InRange(Megabytes(2) / Megabytes(1), 0.2, greatest);
    }
}
