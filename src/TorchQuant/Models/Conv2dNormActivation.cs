using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Models;

/// <summary>What torchvision calls Conv2dNormActivation: "0" a convolution without bias that keeps the size but for its stride, "1" a batch norm, "2" ReLU6.</summary>
internal static class Conv2dNormActivation
{
    /// <summary>The three modules in their Sequential.</summary>
    /// <param name="inputs">Channels in.</param>
    /// <param name="outputs">Channels out.</param>
    /// <param name="kernelSize">Odd.</param>
    /// <param name="stride">The stride.</param>
    /// <param name="groups">Groups of channels; as many as channels for a depthwise convolution.</param>
    public static Sequential Create(long inputs, long outputs, long kernelSize = 3, long stride = 1, long groups = 1)
        => nn.Sequential(
            nn.Conv2d(inputs, outputs, kernelSize, stride, padding: (kernelSize - 1) / 2, groups: groups, bias: false),
            nn.BatchNorm2d(outputs),
            nn.ReLU6());

    /// <summary>The three modules for <c>fuse_modules</c>.</summary>
    /// <param name="path">The dotted name of what <see cref="Create"/> gave.</param>
    public static IReadOnlyList<string> Group(string path) => [$"{path}.0", $"{path}.1", $"{path}.2"];
}
