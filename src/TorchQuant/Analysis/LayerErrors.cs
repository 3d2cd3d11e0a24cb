using System.Globalization;
using TorchQuant.Analysis;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Where a quantized model departs from the float one, layer by layer: what PyTorch's <c>compare_model_outputs</c> is for. The errors of the layers before are in each row, as they are when the
/// model computes.
/// </summary>
/// <param name="Rows">One for each layer that both models have, in the order of the calls.</param>
public sealed record LayerErrors(IReadOnlyList<LayerError> Rows)
{
    /// <summary>Runs both models on the same data and compares what their layers give.</summary>
    /// <remarks>
    /// Layers are the second model's modules without modules in them, and those that hold a <see cref="FloatFunctional"/> (the sum is in their output), if the first model has a module of the same dotted
    /// name: give the fused float model, whose names are those of the int8 one. Modules that were fused away are left out.
    /// </remarks>
    /// <param name="before">The float model, in eval mode.</param>
    /// <param name="after">The quantized model, or any other with modules of the same names, in eval mode.</param>
    /// <param name="data">Inputs, batch by batch; the outputs of all layers for one batch are kept at a time.</param>
    /// <param name="progress">Told after each batch how many are done.</param>
    /// <exception cref="ArgumentException">A model is in training mode, there is no data, the models have no layer in common, or a layer's outputs or calls differ in shape or number.</exception>
    public static LayerErrors Compare(nn.Module<Tensor, Tensor> before, nn.Module<Tensor, Tensor> after, IEnumerable<Tensor> data, IProgress<int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(data);
        Evaluating(before, nameof(before));
        Evaluating(after, nameof(after));
        using var grad = no_grad();
        using var comparison = new OutputComparison(before, after);
        var batches = 0;
        foreach (var input in data)
        {
            using var scope = NewDisposeScope();
            comparison.Run(input);
            progress?.Report(++batches);
        }

        return new LayerErrors(comparison.Rows());
    }

    /// <summary>A table as text.</summary>
    public override string ToString() => new TextTable("layer", "before", "after", "SQNR dB", "mean |x - y|")
        .AlignRight(3, 4)
        .Add(Rows.Select(r => (object[])[r.Path, r.Before, r.After, r.Sqnr.ToString("0.0", CultureInfo.InvariantCulture), r.MeanAbsoluteError.ToString("0.#####", CultureInfo.InvariantCulture)]))
        .ToString();

    private static void Evaluating(nn.Module model, string name)
    {
        if (model.training)
            throw new ArgumentException($"{CSharpNames.Of(model.GetType())} is in training mode, in which dropout and batch norms give other outputs each time; call eval() first.", name);
    }
}
