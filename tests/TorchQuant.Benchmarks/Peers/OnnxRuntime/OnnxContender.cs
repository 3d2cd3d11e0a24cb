using Microsoft.ML.OnnxRuntime;
using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Races;

namespace TorchQuant.Benchmarks.Peers.OnnxRuntime;

/// <summary>
/// ONNX Runtime on a model of one input and one output, both bound to arrays that stay: nothing is allocated or copied in a run. All graph optimizations are on, and the threads of its pool
/// spin between runs, which is its default and its fastest; whoever comes next waits until they sleep.
/// </summary>
internal sealed class OnnxContender<TIn, TOut> : IContender
    where TIn : unmanaged
    where TOut : unmanaged
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly OrtIoBinding _binding;
    private readonly OrtValue _input, _outputValue;
    private readonly TOut[] _output;
    private readonly int _threads;
    private readonly Func<string, TOut[], Agreement> _check;

    /// <summary>Compiles the model.</summary>
    /// <param name="name">The name in tables.</param>
    /// <param name="side">Int8 or float.</param>
    /// <param name="threads">The threads of an operator.</param>
    /// <param name="graph">The model, from "x" to "y".</param>
    /// <param name="input">The data of x.</param>
    /// <param name="inputShape">Its dimensions.</param>
    /// <param name="outputShape">The dimensions of y.</param>
    /// <param name="check">Compares what the last run wrote.</param>
    public OnnxContender(string name, Side side, int threads, OnnxGraph graph, TIn[] input, long[] inputShape, long[] outputShape, Func<string, TOut[], Agreement> check)
    {
        (Name, Side, _threads, _check) = (name, side, threads, check);
        using var options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL, GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL };
        _session = new InferenceSession(graph.ToBytes(), options);
        _output = new TOut[outputShape.Aggregate(1L, (product, d) => product * d)];
        _input = OrtValue.CreateTensorValueFromMemory(input, inputShape);
        _outputValue = OrtValue.CreateTensorValueFromMemory(_output, outputShape);
        _binding = _session.CreateIoBinding();
        _binding.BindInput("x", _input);
        _binding.BindOutput("y", _outputValue);
    }

    public string Name { get; }

    public Side Side { get; }

    public TimeSpan Spin => _threads > 1 ? TimeSpan.FromMilliseconds(60) : TimeSpan.Zero;

    public void Enter()
    {
    }

    public void Run(int times)
    {
        for (int i = 0; i < times; i++)
            _session.RunWithBinding(_options, _binding);
    }

    public Agreement Check() => _check(Name, _output);

    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        _outputValue.Dispose();
        _options.Dispose();
        _session.Dispose();
    }
}
