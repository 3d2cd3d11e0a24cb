using System.Collections;
using System.Xml.Linq;
using Microsoft.DotNet.Interactive.Formatting;
using TorchQuant.Interactive.Tests.Charts;
using TorchSharp;
using Xunit;

namespace TorchQuant.Interactive.Tests.Hosting;

[Collection("torch")]
public class ConventionTests
{
    public static TheoryData<Type> ShownTypes => [.. typeof(Visual).Assembly.GetExportedTypes().Concat(typeof(InteractiveChart).Assembly.GetExportedTypes()).Where(type => !type.IsAbstract && (type.IsAssignableTo(typeof(Visual)) || type == typeof(ProgressBar) || type == typeof(TrainingHistory)))];

    [Theory]
    [MemberData(nameof(ShownTypes))]
    public void A_host_finds_formatters_by_name_alone(Type type)
    {
        // As .NET Interactive does: an attribute of this simple name, whatever its namespace, on the type or a base of it.
        var attribute = Assert.Single(type.GetCustomAttributes(true), found => found.GetType().Name == "TypeFormatterSourceAttribute");
        var sourceType = Assert.IsAssignableFrom<Type>(attribute.GetType().GetProperty("FormatterSourceType")!.GetValue(attribute));
        var preferred = Assert.IsType<string[]>(attribute.GetType().GetProperty("PreferredMimeTypes")!.GetValue(attribute));
        var formatters = Assert.IsAssignableFrom<IEnumerable>(sourceType.GetMethod("CreateTypeFormatters")!.Invoke(Activator.CreateInstance(sourceType), null)).Cast<object>().ToList();
        Assert.Equal(preferred, formatters.Select(formatter => (string)formatter.GetType().GetProperty("MimeType")!.GetValue(formatter)!));
        Assert.All(formatters, formatter =>
        {
            var format = formatter.GetType().GetMethod("Format")!;
            Assert.Equal([typeof(object), typeof(TextWriter)], format.GetParameters().Select(parameter => parameter.ParameterType));
            // A value of another type is left to the next formatter.
            Assert.False((bool)format.Invoke(formatter, ["no value of ours", new StringWriter()])!);
        });
    }

    [Fact]
    public void The_real_host_shows_a_chart_in_three_forms()
    {
        var chart = Samples.Tutorial[0];
        Assert.Equal(["text/html", "image/svg+xml", "text/plain"], Formatter.GetPreferredMimeTypesFor(chart.GetType()));
        Assert.Equal(chart.ToHtml(), chart.ToDisplayString("text/html"));
        Assert.Equal(chart.ToSvg(), chart.ToDisplayString("image/svg+xml"));
        Assert.Equal(chart.ToText(), chart.ToDisplayString("text/plain"));
    }

    [Fact]
    public void The_real_host_shows_tables_galleries_and_progress()
    {
        var table = new Table("t", ["a"], [[1]]);
        Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(Table)));
        Assert.Equal(table.ToHtml(), table.ToDisplayString("text/html"));
        var gallery = new Gallery([Samples.Tutorial[0], Samples.Tutorial[3]]);
        Assert.Equal(gallery.ToSvg(), gallery.ToDisplayString("image/svg+xml"));
        var bar = new ProgressBar(3, "p");
        Assert.Equal(bar.ToHtml(), bar.ToDisplayString("text/html"));
        Assert.Equal(bar.ToText(), bar.ToDisplayString("text/plain"));
    }

    [Fact]
    public void Load_teaches_the_host_foreign_types_once()
    {
        NotebookExtension.Load();
        var before = Formatter.RegisteredFormatters(includeDefaults: false).Count();
        NotebookExtension.Load();
        NotebookExtension.Load();
        Assert.Equal(before, Formatter.RegisteredFormatters(includeDefaults: false).Count());
        using var tensor = torch.tensor(new float[,] { { 1, 2 }, { 3, 6 } });
        Assert.Contains("1, 3, 6", tensor.ToDisplayString("text/plain"), StringComparison.Ordinal);
        Assert.Contains("2 × 2", tensor.ToDisplayString("text/html"), StringComparison.Ordinal);
        using var model = torch.nn.Linear(3, 2);
        Assert.Equal(Display.Of(model).ToHtml(), model.ToDisplayString("text/html"));
        var size = ModelSize.Of(model);
        Assert.Equal(Display.Of(size).ToText(), size.ToDisplayString("text/plain"));
    }

    [Fact]
    public void The_package_carries_the_script_that_calls_Load_by_names_that_exist()
    {
        var project = XDocument.Load(Path.Combine(Repository(), "src", "TorchQuant.Interactive", "TorchQuant.Interactive.csproj"));
        var item = Assert.Single(project.Descendants("None"), none => (string?)none.Attribute("PackagePath") == "interactive-extensions/dotnet/extension.dib");
        var script = File.ReadAllText(Path.Combine(Repository(), "src", "TorchQuant.Interactive", (string)item.Attribute("Include")!));
        Assert.StartsWith("#!csharp\n", script, StringComparison.Ordinal);
        Assert.Contains($"\"{typeof(NotebookExtension).FullName}\"", script, StringComparison.Ordinal);
        Assert.Contains($"GetMethod(\"{nameof(NotebookExtension.Load)}\")", script, StringComparison.Ordinal);
        Assert.Contains($"\"{typeof(NotebookExtension).Assembly.GetName().Name}\"", script, StringComparison.Ordinal);
        Assert.NotNull(typeof(NotebookExtension).GetMethod(nameof(NotebookExtension.Load)));
    }

    [Fact]
    public void The_product_references_no_host() =>
        Assert.DoesNotContain(typeof(Visual).Assembly.GetReferencedAssemblies(), name => name.Name!.Contains("Interactive", StringComparison.Ordinal));

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Toolkit.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Toolkit.sln; run the tests inside the repository.");
    }
}
