using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Interactive.Tests.Displays;

/// <summary>Whatever is in a name, a title or a label, a browser sees the same elements and attributes as with a harmless one.</summary>
[Collection("torch")]
public class EncodingTests
{
    private static readonly string[] Pieces =
    [
        "<script>alert(1)</script>", "</script>", "<img src=x onerror=alert(1)>", "\" onload=\"alert(1)", "' onclick='alert(1)", "</style>", "</svg>", "</td></table>", "<!--", "-->", "]]>", "&lt;b&gt;", "&", "&#x3c;", "<",
        "javascript:alert(1)", "한국어", "\u202E", "\uD800", "\0", "\u2028", "😀", "int8", "\n", "$x$", "{{x}}", "%{y}", "//", "\\u003cscript\\u003e",
    ];

    private static readonly HashSet<string> Allowed = [.. Parse("harmless").SelectMany(Shapes)];

    private static Gen<string> Texts => Gen.ListOf(Gen.OneOf(Gen.Elements(Pieces), ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""))).Select(string.Concat);

    [Property(MaxTest = 60)]
    public Property No_text_becomes_an_element_or_an_attribute() => Prop.ForAll(Texts.ToArbitrary(), text =>
    {
        foreach (var document in Parse(text))
            Assert.All(Shapes(document), shape => Assert.Contains(shape, Allowed));
    });

    [Fact]
    public void Every_piece_of_markup_is_shown_as_it_is()
    {
        foreach (var piece in Pieces.Where(piece => piece is not ("\uD800" or "\0")))
        {
            var cell = new HtmlParser().ParseDocument(new Table("", ["a"], [[piece + "."]]).ToHtml()).QuerySelector("td")!;
            Assert.Equal(piece + ".", cell.TextContent);
        }
    }

    // Everything that shows a text of the caller's, with that text in every place.
    private static List<IDocument> Parse(string text)
    {
        using var model = nn.Sequential((text.Length == 0 ? "_" : text.Replace('.', '_'), nn.Linear(2, 2)));
        var size = ModelSize.Of(model);
        var machine = new TimingMachine(text, text, 1, text);
        var timing = new Timing(text, [1, 2]);
        var errors = new LayerErrors([new LayerError(text, text, text, 1, 2, 1, 1)]);
        using var observer = new HistogramObserver();
        using (var data = randn(64))
            observer.call(data).Dispose();
        using var values = arange(12, ScalarType.Float32).reshape(3, 4);
        using var qconfigWeight = quantization.default_per_channel_weight_observer.Create();
        using (var weights = randn(3, 2))
            qconfigWeight.call(weights).Dispose();
        var image = new GridImage(1, 1, [0]) { Caption = text, Predictions = [new(text, text, false), new(text, text, true), new(text, text)] };
        var confusion = new ConfusionMatrix(text, [text, text + "2"], [[1, 2], [3, 4]]);
        var line = new LineSeries(text, [1, 2, 3]);
        var bar = new ProgressBar(2, text);
        bar.Report(1, text);
        var history = new TrainingHistory(text, new Axis(text, text));
        history.Add(text, 1, 2);
        history.Add(text, 2, 3);
        Visual[] visuals =
        [
            new Table(text, [text, new Column(text, text), "n"], [[text, text, 1]]) { Caption = text },
            Display.Of(size, text), Display.Of(new SizeComparison(size, size), text), Display.Of(timing, text), Display.Of(new TimingComparison([timing, timing], machine), text), Display.Of(errors, text),
            Display.Of(model, text), Display.Compare(model, model, text), Display.Of(values, text), Display.Of(observer, text), Display.Of(qconfigWeight, text), Display.Of(quantization.default_qconfig, text),
            Display.SizeChart(text, [(text, size)], subtitle: text), Display.TimeChart(new TimingComparison([timing], machine), text, text, text), Display.ErrorChart(errors, text, text),
            Display.Compare([(text, (UniformQuantizationObserverBase)observer)], text),
            new TextSamples(text, [new TextSample(text, text)]), new LanguageSummary(text, text), new ImageGrid(text, [image]) { Caption = text },
            confusion, new ConfusionChange(text, confusion, confusion), new Gallery([confusion]), new VisualGroup([confusion]),
            Chart.Lines(text, [line, line], new Axis(text, text), text, text, text, [new ReferenceLine(text, 2), new ReferenceLine(text, 2, OnX: true)]),
            Chart.Points(text, [new PointSeries(text, [1], [2]) { Labels = [text] }]),
            Chart.Histogram(text, [1f, 2, 3], text, new QuantizationGrid(0.1), name: text, subtitle: text, caption: text),
            Chart.Ranges(text, [new RangeSeries(text, [1], [2])], bands: [new ReferenceBand(text, 0, 3), new ReferenceBand(text, 0, 3, OnX: true)]),
            Chart.Bars(text, [text, "b"], [new BarSeries(text, [1, 2], [1, 1], [2, 2]), new BarSeries(text, [1, 2])], text, category: text, references: [new ReferenceLine(text, 1)]),
            Chart.Heat(text, 1, 2, [1, double.NaN], text, text, text, text),
        ];
        var parser = new HtmlParser();
        return
        [
            .. visuals.Select(visual => visual.ToHtml()).Append(bar.ToHtml()).Append(history.ToHtml()).Concat(visuals.OfType<IDrawing>().Select(drawing => drawing.ToSvg()))
                .Select(html => (IDocument)parser.ParseDocument($"<!DOCTYPE html><html><head></head><body>{html}</body></html>")),
        ];
    }

    private static IEnumerable<string> Shapes(IDocument document) =>
        document.All.SelectMany(element => element.Attributes.Select(attribute => $"{element.LocalName} {attribute.Name}").Prepend(element.LocalName))
            // Comments and what a parser drops would be changes of the structure too.
            .Concat(document.Descendants<IComment>().Select(_ => "comment"));
}
