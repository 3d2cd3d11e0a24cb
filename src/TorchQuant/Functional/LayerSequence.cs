using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Layers that are called one after the other, whose last results are added to something: what a <see cref="Sequential"/> without hooks does with its children is done here, layer by layer.</summary>
internal static class LayerSequence
{
    /// <summary>The result of calling one layer after the other; those in between are disposed.</summary>
    /// <returns>A tensor of its own.</returns>
    public static Tensor Call(ReadOnlySpan<nn.Module<Tensor, Tensor>> layers, Tensor input)
    {
        var x = input;
        foreach (var layer in layers)
        {
            var y = layer.call(x);
            if (!ReferenceEquals(x, input) && !ReferenceEquals(x, y))
                x.Dispose();
            x = y;
        }

        return ReferenceEquals(x, input) ? input.alias() : x;
    }

    /// <summary>The int8 convolution that the layers end with: nothing but Identity comes after it, and neither has hooks.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="before">Receives the layers before it.</param>
    /// <returns>Null if they end otherwise.</returns>
    public static QuantizedConvolution? Last(ReadOnlySpan<nn.Module<Tensor, Tensor>> layers, List<nn.Module<Tensor, Tensor>> before)
    {
        foreach (var layer in layers)
            Append(layer, before);
        while (before.Count > 0 && before[^1] is Identity identity && ModuleHooks.HasNone(identity))
            before.RemoveAt(before.Count - 1);
        if (before.Count == 0 || before[^1] is not QuantizedConvolution convolution || !ModuleHooks.HasNone(convolution))
            return null;
        before.RemoveAt(before.Count - 1);
        return convolution;
    }

    private static void Append(nn.Module<Tensor, Tensor> layer, List<nn.Module<Tensor, Tensor>> list)
    {
        // A derived class may have a forward of its own.
        if (layer is not Sequential sequential || layer.GetType() != typeof(Sequential) || !ModuleHooks.HasNone(layer))
        {
            list.Add(layer);
            return;
        }

        for (var i = 0; i < sequential.Count; i++)
            Append((nn.Module<Tensor, Tensor>)sequential[i], list);
    }
}
