using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>The packages, installed as users install them, load TorchSharp's native library by themselves and quantize a model.</summary>
public class InstallTests(PackedFeed feed)
{
    private const string Proof = "DynamicQuantizedLinear";

    private const string Size = @"total\s+0\.547\s+0\.140\s+0\.257"; // (256 + 1) * 512 + (512 + 1) * 10 floats

    /// <summary>The README's first example, as it stands there.</summary>
    private static string Example { get; } = ReadmeExample.All[0];

    /// <summary>For each example of the README the type that it ends with, and the total of its sizes.</summary>
    public static TheoryData<int, string, string> Examples => new()
    {
        { 0, Proof, Size },
        { 1, "QuantizedConvolution", @"total\s+0\.004\s+0\.001" }, // ((3 * 9) + 1) * 32 floats and four of the batch norm's for each channel
    };

    private static string Program { get; } = string.Join('\n', Example.Split('\n').Where(line => !line.StartsWith("#:", StringComparison.Ordinal)));

    private string Project => $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <OutputType>Exe</OutputType>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="TorchSharp-cpu" Version="0.107.0" />
            <PackageReference Include="TorchQuant" Version="{feed.Version}" />
          </ItemGroup>
        </Project>
        """;

    [Fact]
    public void A_project_runs_from_dotnet_run_and_from_its_published_folder()
    {
        var folder = feed.Folder("app", ("app.csproj", Project), ("Program.cs", Program));
        AssertQuantized(Shell.Run(folder, "dotnet", ["run"]));
        Shell.Run(folder, "dotnet", ["publish", "-r", "linux-x64", "--no-self-contained", "-o", "published"]);
        AssertQuantized(Shell.Run(folder, Path.Combine(folder, "published", "app"), [], ("NUGET_PACKAGES", folder)));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_readmes_examples_run_as_file_based_apps(int index, string proof, string size)
    {
        Assert.Equal(Examples.Count, ReadmeExample.All.Count);
        var example = ReadmeExample.All[index];
        Assert.Contains("#:package TorchQuant@0.1.0\n", example);
        var app = example.Replace("TorchQuant@0.1.0", $"TorchQuant@{feed.Version}", StringComparison.Ordinal);
        var folder = feed.Folder($"file{index}", ("app.cs", app));
        AssertQuantized(Shell.Run(folder, "dotnet", ["run", "app.cs"]), proof, size);
        Shell.DropBuilds(folder);
    }

    [Fact]
    public void An_fsharp_script_runs_without_a_call_of_its_own_to_load_the_native_library()
    {
        var folder = feed.Folder("script", ("app.fsx", $"""
            #r "nuget: TorchSharp-cpu, 0.107.0"
            #r "nuget: TorchQuant, {feed.Version}"
            open TorchSharp
            open TorchQuant
            let model = torch.nn.Sequential(struct ("fc2", torch.nn.Linear(512L, 10L) :> torch.nn.Module<torch.Tensor, torch.Tensor>))
            printfn "%O" (ModelSize.Of(quantization.quantize_dynamic model))
            """));
        Assert.Contains(Proof, Shell.Run(folder, "dotnet", ["fsi", "app.fsx"]));
    }

    [Fact]
    public void Without_libtorch_one_exception_says_what_is_missing_and_the_mend()
    {
        var project = Project.Replace("TorchSharp-cpu", "TorchSharp", StringComparison.Ordinal);
        var folder = feed.Folder("bare", ("bare.csproj", project), ("Program.cs", "TorchQuant.TorchNative.EnsureLoaded();"));
        Shell.Run(folder, "dotnet", ["build"]);
        var empty = feed.Folder("empty-cache");
        var (code, output) = Shell.TryRun(folder, "dotnet", [Path.Combine("bin", "Debug", "net10.0", "bare.dll")], ("NUGET_PACKAGES", empty));
        Assert.NotEqual(0, code);
        Assert.Contains("TorchNativeException: libtorch_cpu.so was not found. Add the package libtorch-cpu-linux-x64 2.10.0", output);
    }

    private static void AssertQuantized(string output, string proof = Proof, string size = Size)
    {
        Assert.Contains(proof, output);
        Assert.Matches(size, output);
        var difference = double.Parse(Regex.Match(output, @"(?:largest|mean) difference (\S+)").Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.InRange(difference, 0, 0.05);
    }
}
