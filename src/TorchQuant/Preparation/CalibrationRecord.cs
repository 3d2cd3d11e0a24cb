namespace TorchQuant;

/// <summary>What <c>prepare</c> decided for a module, and how calibration called it.</summary>
/// <param name="path">The module's dotted path.</param>
/// <param name="qconfig">The qconfig that was decided.</param>
/// <param name="run">The calibration of the model that the module is in.</param>
internal sealed class CalibrationRecord(string path, QConfig qconfig, CalibrationRun run) : ICopiedWithModel
{
    private long _pass;
    private long _callsInPass;

    /// <summary>The module's dotted path.</summary>
    public string Path { get; } = path;

    /// <summary>The qconfig that was decided.</summary>
    public QConfig QConfig { get; } = qconfig;

    /// <summary>The calibration of the whole model.</summary>
    public CalibrationRun Run { get; } = run;

    /// <summary>How often the module gave an output that was observed.</summary>
    public long Calls { get; private set; }

    /// <summary>How often it did something that needs no observer: add_scalar, mul_scalar.</summary>
    public long ScalarCalls { get; private set; }

    /// <summary>The most observed calls in one forward pass of the model.</summary>
    public long MostCallsInPass { get; private set; }

    /// <summary>Counts an observed call.</summary>
    public void Called()
    {
        var pass = Run.PassOf(this);
        (_callsInPass, _pass) = (pass == _pass ? _callsInPass + 1 : 1, pass);
        Calls++;
        MostCallsInPass = Math.Max(MostCallsInPass, _callsInPass);
    }

    /// <summary>Counts a call that needs no observer.</summary>
    public void CalledWithScalar() => ScalarCalls++;

    /// <summary>Adds the calls of the same module in a copy of the model.</summary>
    public void Merge(CalibrationRecord shard)
    {
        Calls += shard.Calls;
        ScalarCalls += shard.ScalarCalls;
        MostCallsInPass = Math.Max(MostCallsInPass, shard.MostCallsInPass);
    }
}
