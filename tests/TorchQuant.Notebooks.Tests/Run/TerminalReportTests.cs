using TorchQuant.Notebooks.Engine;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Tests.Run;

public sealed class TerminalReportTests : IDisposable
{
    private readonly StringWriter _text = new();
    private readonly Clock _clock = new();

    public void Dispose() => _text.Dispose();

    private TerminalReport Report(bool interactive) => new(_text, interactive, width: 80, _clock);

    private string Text => _text.ToString().ReplaceLineEndings("\n");

    private static CellResult Done(double seconds) => new(CellStatus.Succeeded, null, TimeSpan.FromSeconds(seconds));

    [Fact]
    public void A_quiet_cell_is_one_line_and_a_talking_one_has_its_time_below()
    {
        var report = Report(interactive: false);
        report.CellStarted(1, 2, "First [x]");
        report.CellEnded(Done(2.06));
        report.CellStarted(2, 2, "Second");
        report.Write(OutputStream.Out, "hello");
        report.Display(MimeBundle.OfText("shown"), id: null);
        report.CellEnded(Done(61));
        Assert.Equal("[1/2] First [x] ... 2.1 s\n[2/2] Second\nhello\nshown\n      1 min 1 s\n", Text);
    }

    [Fact]
    public void In_a_log_progress_is_sparse_and_its_end_is_shown()
    {
        var report = Report(interactive: false);
        report.CellStarted(1, 1, "Train");
        report.Display(MimeBundle.OfText("0 %"), "p");
        for (var percent = 1; percent <= 100; percent++)
        {
            _clock.Advance(TimeSpan.FromSeconds(0.3));
            report.Update("p", MimeBundle.OfText($"{percent} %"));
        }
        report.CellEnded(Done(30));
        Assert.Equal("[1/1] Train\n0 %\n34 %\n68 %\n100 %\n      30.0 s\n", Text);
    }

    [Fact]
    public void On_a_terminal_progress_is_rewritten_in_place_at_most_ten_times_a_second()
    {
        var report = Report(interactive: true);
        report.Display(MimeBundle.OfText("bar\n0 %"), "p");
        report.Update("p", MimeBundle.OfText("bar\n1 %")); // too soon
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        report.Update("p", MimeBundle.OfText("bar\n2 %"));
        report.Update("p", MimeBundle.OfText("bar\n3 %")); // too soon, but the last before something else
        report.Write(OutputStream.Out, "next\n");
        Assert.Equal("bar\n0 %\n\e[2A\e[Jbar\n2 %\n\e[2A\e[Jbar\n3 %\nnext\n", Text);
    }

    [Fact]
    public void In_a_log_a_line_is_written_once_as_it_ends()
    {
        var report = Report(interactive: false);
        report.Write(OutputStream.Out, "1 %\r");
        report.Write(OutputStream.Out, "2 %\r\nnext");
        Assert.Equal("2 %\n", Text);
        report.Say("said");
        Assert.Equal("2 %\nnext\nsaid\n", Text);
    }

    [Fact]
    public void Long_values_are_cut_and_values_without_text_say_where_to_look()
    {
        var report = Report(interactive: false);
        report.Display(MimeBundle.OfText(string.Join('\n', Enumerable.Range(0, 100))), id: null);
        report.Display(new MimeBundle([new("image/png", "AAAA")]), id: null);
        Assert.EndsWith("59\n… 40 more lines, in the page\n(image/png: see the page)\n", Text, StringComparison.Ordinal);
    }

    private sealed class Clock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
