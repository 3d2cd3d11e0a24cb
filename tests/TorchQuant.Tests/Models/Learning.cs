using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Models;

/// <summary>Gradients reach every parameter, although forward disposes what it made.</summary>
internal static class Learning
{
    /// <summary>A few steps on sixteen pictures of noise with labels: the model learns them by heart.</summary>
    public static void Lowers_the_loss(nn.Module<Tensor, Tensor> model)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var data = randn(16, 1, 28, 28, generator: generator);
        var labels = randint(0, 10, 16, dtype: ScalarType.Int64, generator: generator);
        var optimizer = optim.Adam(model.parameters(), 0.01);
        model.train();
        double first = 0, last = 0;
        for (var step = 0; step < 20; step++)
        {
            optimizer.zero_grad();
            var loss = nn.functional.cross_entropy(model.call(data), labels);
            loss.backward();
            foreach (var (name, parameter) in model.named_parameters())
                Assert.True(parameter.grad is { } gradient && gradient.abs().sum().item<float>() >= 0, name);
            optimizer.step();
            last = loss.item<float>();
            if (step == 0)
                first = last;
        }

        Assert.True(last < first / 2, $"{first} -> {last}");
    }
}
