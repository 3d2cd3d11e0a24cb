using System.CommandLine;
using System.Globalization;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Commands;

/// <summary>The options that all races have.</summary>
internal sealed class SettingsOptions
{
    private readonly Option<int[]> _threads = new("--threads")
    {
        Description = "The numbers of threads, for example 1,2.",
        DefaultValueFactory = _ => Environment.ProcessorCount > 1 ? [1, 2] : [1],
        CustomParser = result =>
        {
            var numbers = new List<int>();
            foreach (string text in result.Tokens[0].Value.Split(','))
            {
                if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1 || number > Environment.ProcessorCount)
                    result.AddError($"--threads {result.Tokens[0].Value}: expected numbers from 1 to {Environment.ProcessorCount}, the processors of this machine, with commas between them.");
                numbers.Add(number);
            }

            return [.. numbers];
        },
    };

    private readonly Option<int> _rounds;
    private readonly Option<double> _sample;
    private readonly Option<bool> _quick = new("--quick") { Description = "A few small shapes and one short sample: a test that everything runs and agrees, no measurement." };

    public SettingsOptions(int rounds = 11, double sampleMilliseconds = 2)
    {
        _rounds = new("--rounds") { Description = "How many samples of each implementation, in turns, and up to four times as many where these disagree by more than 5 %; the median counts.", DefaultValueFactory = _ => rounds };
        _sample = new("--sample") { Description = "Milliseconds of a sample on one thread, about, and ten times as long on several; at least one run.", DefaultValueFactory = _ => sampleMilliseconds };
        _rounds.Validators.Add(result =>
        {
            if (result.GetValue(_rounds) < 1)
                result.AddError("--rounds: expected at least 1.");
        });
        _sample.Validators.Add(result =>
        {
            if (!(result.GetValue(_sample) > 0))
                result.AddError("--sample: expected a number of milliseconds above 0.");
        });
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_threads);
        command.Options.Add(_rounds);
        command.Options.Add(_sample);
        command.Options.Add(_quick);
    }

    public RaceSettings Of(ParseResult result)
    {
        bool quick = result.GetValue(_quick);
        bool isRoundsGiven = result.GetResult(_rounds) is { Implicit: false };
        return new RaceSettings(result.GetRequiredValue(_threads), quick && !isRoundsGiven ? 1 : result.GetValue(_rounds), quick ? 1e-4 : 1e-3 * result.GetValue(_sample), quick);
    }
}
