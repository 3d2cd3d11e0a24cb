using Xunit;

namespace TorchQuant.Packages.Tests;

/// <summary>The packages, installed as users install them, load TorchSharp's native library by themselves and quantize a model.</summary>
public class InstallTests(PackedFeed feed) : IClassFixture<PackedFeed>
{
    private const string Program = """
        using TorchSharp;
        using static TorchSharp.torch;

        var model = nn.Sequential(("fc", nn.Linear(64, 32)));
        using var x = torch.randn(4, 64);
        Console.WriteLine($"answer {torch.ones(2, 3).sum().item<float>()}");
        """;

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
        Assert.Contains("answer 6", Shell.Run(folder, "dotnet", ["run"]));
        Shell.Run(folder, "dotnet", ["publish", "-r", "linux-x64", "--no-self-contained", "-o", "published"]);
        Assert.Contains("answer 6", Shell.Run(folder, Path.Combine(folder, "published", "app"), [], ("NUGET_PACKAGES", folder)));
    }

    [Fact]
    public void A_file_based_app_runs()
    {
        var folder = feed.Folder("file", ("app.cs", $"#:package TorchSharp-cpu@0.107.0\n#:package TorchQuant@{feed.Version}\n{Program}"));
        Assert.Contains("answer 6", Shell.Run(folder, "dotnet", ["run", "app.cs"]));
    }

    [Fact]
    public void An_fsharp_script_runs_without_a_call_of_its_own_to_load_the_native_library()
    {
        var folder = feed.Folder("script", ("app.fsx", $"""
            #r "nuget: TorchSharp-cpu, 0.107.0"
            #r "nuget: TorchQuant, {feed.Version}"
            open TorchSharp
            printfn "answer %g" (torch.ones(2L, 3L).sum().item<float32>())
            """));
        Assert.Contains("answer 6", Shell.Run(folder, "dotnet", ["fsi", "app.fsx"]));
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
}
