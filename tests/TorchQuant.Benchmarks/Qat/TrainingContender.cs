using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Qat;

/// <summary>A training step on one batch: forward, cross entropy, backward, SGD with momentum. A learning rate of zero keeps the model what it is for every sample.</summary>
internal sealed class TrainingContender : IContender
{
    private const double Momentum = 0.9;

    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly optim.Optimizer _optimizer;
    private readonly Tensor _images, _labels;
    private readonly int _threads;
    private double _loss;

    public TrainingContender(string name, Side side, nn.Module<Tensor, Tensor> model, Tensor images, Tensor labels, int threads)
    {
        (Name, Side, _model, _images, _labels, _threads) = (name, side, model, images, labels, threads);
        _model.train();
        _optimizer = optim.SGD(model.parameters(), learningRate: 0, Momentum);
    }

    public string Name { get; }

    public Side Side { get; }

    /// <summary>libgomp's threads spin for about a millisecond.</summary>
    public TimeSpan Spin => _threads > 1 ? TimeSpan.FromMilliseconds(8) : TimeSpan.Zero;

    public void Enter() => set_num_threads(_threads);

    public void Run(int times)
    {
        for (int i = 0; i < times; i++)
        {
            using var scope = NewDisposeScope();
            _optimizer.zero_grad();
            Tensor loss = nn.functional.cross_entropy(_model.call(_images), _labels);
            loss.backward();
            _optimizer.step();
            _loss = loss.item<float>();
        }
    }

    /// <summary>A new network of ten classes has a loss near log(10), and every parameter gets a gradient.</summary>
    public Agreement Check()
    {
        int without = _model.parameters().Count(p => p.requires_grad && p.grad is null);
        if (!(_loss is > 0 and < 10) || without > 0)
            throw new WrongResultException($"{Name}: the loss is {_loss} and {without} parameters have no gradient; expected a loss near {Math.Log(10):0.0} and gradients for all.");
        return new Agreement(FormattableString.Invariant($"loss {_loss:0.000}"));
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
    }
}
