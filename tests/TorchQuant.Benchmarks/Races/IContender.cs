namespace TorchQuant.Benchmarks.Races;

/// <summary>One implementation on one shape with one number of threads: prepared when created, so that <see cref="Run"/> does what an application would do in every call and nothing else.</summary>
internal interface IContender : IDisposable
{
    /// <summary>The name in tables, for example "onnxruntime int8 nhwc".</summary>
    string Name { get; }

    /// <summary>For whom it runs.</summary>
    Side Side { get; }

    /// <summary>How long its threads keep a core busy after a run: whoever comes next waits that long first.</summary>
    TimeSpan Spin { get; }

    /// <summary>Sets what is global in its library (engine, number of threads), before each of its samples.</summary>
    void Enter();

    /// <summary>Does the work so many times.</summary>
    void Run(int times);

    /// <summary>Compares the result of the last run, on the data that is timed, with the reference.</summary>
    /// <exception cref="WrongResultException">It is not what it should be.</exception>
    Agreement Check();
}
