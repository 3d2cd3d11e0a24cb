using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Interactive.Tests.Displays;

[Collection("torch")]
public class ObserverViewTests
{
    [Fact]
    public void A_histogram_observer_shows_its_values_and_the_range_of_its_codes()
    {
        using var observer = new PercentileObserver(percentile: 99);
        Observe(observer, Normal(5000));
        var chart = Assert.IsType<XyChart>(Display.Of(observer));
        var bins = Assert.IsType<HistogramSeries>(Assert.Single(chart.Series));
        Assert.Equal(5000, bins.Counts.Sum(), 1);
        Assert.True(bins.Counts.Count <= 128);
        Assert.Equal(observer.min_val.item<float>(), bins.Edges[0], 5);
        Assert.Equal(observer.max_val.item<float>(), bins.Edges[^1], 5);
        var (scale, zeroPoint) = observer.calculate_qparams();
        var band = Assert.Single(chart.Bands);
        Assert.Equal(scale.item<float>() * (0 - zeroPoint.item<long>()), band.From, 5);
        Assert.Equal(scale.item<float>() * (255 - zeroPoint.item<long>()), band.To, 5);
        Assert.Contains("PercentileObserver: scale 0.0", chart.Subtitle, StringComparison.Ordinal);
        Assert.Contains("of 5,000 values lie in the range", chart.Subtitle, StringComparison.Ordinal);
        scale.Dispose();
        zeroPoint.Dispose();
    }

    [Fact]
    public void A_per_channel_observer_shows_a_range_for_each_channel()
    {
        using var observer = new PerChannelMinMaxObserver();
        Observe(observer, tensor(new float[,] { { -1, 2 }, { -3, 0.5f }, { 0, 4 } }));
        var ranges = Assert.IsType<RangeSeries>(Assert.Single(Assert.IsType<XyChart>(Display.Of(observer)).Series));
        Assert.Equal([-1, -3, 0], ranges.Low);
        Assert.Equal([2, 0.5, 4], ranges.High);
    }

    [Fact]
    public void Other_observers_are_tables_of_what_they_have_seen_and_chosen()
    {
        using var observer = new MinMaxObserver();
        Assert.Contains("nothing yet", Display.Of(observer).ToText(), StringComparison.Ordinal);
        Observe(observer, tensor(new[] { -1f, 1.55f }));
        var text = Display.Of(observer).ToText();
        Assert.Contains("−1 to 1.55", text, StringComparison.Ordinal);
        Assert.Contains("scale       0.01", text, StringComparison.Ordinal);
        Assert.Contains("zero point  100", text, StringComparison.Ordinal);
        Assert.Contains("codes       0 to 255", text, StringComparison.Ordinal);
        using var constant = new HistogramObserver();
        Observe(constant, full(4, 2f));
        Assert.Contains("2 to 2", Display.Of(constant).ToText(), StringComparison.Ordinal);
        using var unseen = new HistogramObserver();
        Assert.Contains("nothing yet", Display.Of(unseen).ToText(), StringComparison.Ordinal);
        using var recording = new RecordingObserver();
        Observe(recording, ones(2));
        Assert.Contains("1 tensors", Display.Of(recording).ToText(), StringComparison.Ordinal);
        using var dynamic = new PlaceholderObserver(qdtype.quint8, is_dynamic: true);
        Assert.Contains("from each input", Display.Of(dynamic).ToText(), StringComparison.Ordinal);
        using var fixedQParams = new FixedQParamsObserver(1f / 256, 0);
        Assert.Contains("0.003906", Display.Of(fixedQParams).ToText(), StringComparison.Ordinal);
        using var fake = quantization.get_default_qat_qconfig().activation.Create();
        Observe(fake, tensor(new[] { -1f, 1.55f }));
        Assert.Contains("fake quantization  on", Display.Of(fake).ToText(), StringComparison.Ordinal);
        Assert.Contains("scale              0.01", Display.Of(fake).ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Observers_of_the_same_data_are_compared_over_its_histogram()
    {
        using var minMax = new MinMaxObserver();
        using var entropy = new EntropyObserver();
        Observe(minMax, Normal(3000));
        Observe(entropy, Normal(3000));
        var chart = Display.Compare([("min-max", minMax), ("entropy", (UniformQuantizationObserverBase)entropy)]);
        Assert.Equal(["min-max", "entropy"], chart.Bands.Select(band => band.Name));
        Assert.True(chart.Bands[1].To - chart.Bands[1].From < chart.Bands[0].To - chart.Bands[0].From);
        using var unseen = new MinMaxObserver();
        Assert.Contains("unseen", Assert.Throws<ArgumentException>(() => Display.Compare([("entropy", entropy), ("unseen", (UniformQuantizationObserverBase)unseen)])).Message, StringComparison.Ordinal);
        Assert.Contains("histogram", Assert.Throws<ArgumentException>(() => Display.Compare([("min-max", (UniformQuantizationObserverBase)minMax)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_qconfig_is_a_table_of_both_observers()
    {
        var text = Display.Of(quantization.get_default_qconfig("fbgemm")).ToText();
        Assert.Contains("HistogramObserver", text, StringComparison.Ordinal);
        Assert.Contains("PerChannelMinMaxObserver", text, StringComparison.Ordinal);
        Assert.Contains("0 to 127", text, StringComparison.Ordinal);
        Assert.Contains("per_channel_symmetric", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Looking_leaves_no_tensor_behind()
    {
        using var histogram = new HistogramObserver();
        using var channels = new PerChannelMinMaxObserver();
        using var minMax = new MinMaxObserver();
        foreach (var observer in new ObserverBase[] { histogram, channels, minMax }) Observe(observer, Normal(100).reshape(10, 10));
        Look();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 10; i++) Look();
        // The finalizers of what other tests left may make it less.
        Assert.True(Tensor.TotalCount <= before, $"{Tensor.TotalCount - before} more");

        void Look()
        {
            foreach (var observer in new ObserverBase[] { histogram, channels, minMax }) Assert.NotEmpty(Display.Of(observer).ToHtml());
        }
    }

    private static void Observe(ObserverBase observer, Tensor data)
    {
        using (data)
            observer.call(data).Dispose();
    }

    private static Tensor Normal(int count)
    {
        random.manual_seed(3);
        return randn(count);
    }
}
