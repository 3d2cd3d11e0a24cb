using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>torchvision's initial values.</summary>
internal static class ModelInitialization
{
    /// <summary>Convolutions from He et al., "Delving Deep into Rectifiers" (arXiv:1502.01852), by the number of outputs; norms 1 and 0, which they are by themselves.</summary>
    /// <param name="model">The model.</param>
    /// <param name="linearDeviation">The standard deviation of a linear layer's weights, whose biases are then 0; null leaves linear layers as they are.</param>
    public static void Apply(nn.Module model, double? linearDeviation)
    {
        using var grad = no_grad();
        foreach (var module in model.modules())
        {
            if (module is Conv2d conv)
            {
                nn.init.kaiming_normal_(conv.weight!, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
            }
            else if (module is Linear linear && linearDeviation is { } deviation)
            {
                nn.init.normal_(linear.weight!, 0, deviation);
                nn.init.zeros_(linear.bias!);
            }
        }
    }
}
