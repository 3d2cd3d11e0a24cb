using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The int8 module that a module of quantization-aware training will be converted to, made for one call. In eval mode the prepared model computes with it: sums of float products are rounded, an integer kernel's are
/// not, so a value next to the middle between two codes could fall to the other side; one such code is in the window of many of the next layer, and with every layer more would differ. Gradients are those of float.
/// </summary>
internal static class Int8Twin
{
    /// <summary>What the int8 module computes from codes.</summary>
    /// <param name="int8">The int8 module.</param>
    /// <param name="codes">The inputs.</param>
    public delegate Tensor Call(nn.Module int8, Tensor[] codes);

    /// <summary>The output of a module, observed and fake-quantized; in eval mode with the values of its int8 form.</summary>
    /// <param name="module">The module.</param>
    /// <param name="compute">The float output.</param>
    /// <param name="call">The int8 output.</param>
    /// <param name="inputs">What both compute from.</param>
    public static Tensor Observe(IObserved module, Func<Tensor> compute, Call call, params Tensor[] inputs)
    {
        if (!IsOn(module) || Grids(inputs) is not { } grids)
            return module.Observe(compute());
        if (!NeedsFloat(module, inputs) && HasQParams(module) && Values(module, call, inputs, grids) is { } only)
        {
            module.Calibration!.Called();
            return only;
        }

        var output = module.Observe(compute());
        return HasQParams(module) && Values(module, call, inputs, grids) is { } values ? Given(output, values) : output;
    }

    /// <summary>The output of a module that gives no scale of its own, in training too: its float output with the values of the int8 form, where the grid of the input is known.</summary>
    /// <param name="module">The module.</param>
    /// <param name="output">The float output; taken over.</param>
    /// <param name="call">The int8 output.</param>
    /// <param name="input">The input.</param>
    public static Tensor OnInputGrid(IObserved module, Tensor output, Call call, Tensor input) =>
        TensorGrids.Of(input) is { } grid && Values(module, call, [input], [grid]) is { } values ? Given(output, values) : output;

    /// <summary>A float output with the values of what a module makes of the codes of the input.</summary>
    public static Tensor OnInputGrid(nn.Module<Tensor, Tensor> int8, Tensor output, Tensor input)
    {
        if (TensorGrids.Of(input) is not { } grid)
            return output;
        Tensor values;
        using (no_grad())
        {
            using var codes = TensorGrids.Codes(input, grid);
            using var result = int8.forward(codes);
            values = TensorGrids.Values(result);
        }

        return Given(output, values);
    }

    private static bool IsOn(IObserved module) =>
        !((nn.Module)module).training && module.Calibration is not null && module.activation_post_process is FakeQuantizeBase { is_fake_quant_enabled: true }
        && module is not QatModule { weight_fake_quant.is_fake_quant_enabled: false }
        && (module is not ObservedModule { module: var inner } || CalibrationHooks.HasNoOthers(inner));

    private static bool HasQParams(IObserved module) =>
        module.activation_post_process is FakeQuantizeBase { HasQParams: true } && module is not QatModule { weight_fake_quant.HasQParams: false };

    private static bool NeedsFloat(IObserved module, Tensor[] inputs) =>
        module.activation_post_process is FakeQuantizeBase { is_observer_enabled: true } and not FixedQParamsFakeQuantize
        || module is QatModule { weight_fake_quant.is_observer_enabled: true }
        || (is_grad_enabled() && (inputs.Any(input => input.requires_grad) || ((nn.Module)module).parameters().Any(parameter => parameter.requires_grad)));

    private static TensorGrid[]? Grids(Tensor[] inputs)
    {
        var grids = new TensorGrid[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].numel() == 0 || TensorGrids.Of(inputs[i]) is not { } grid)
                return null;
            grids[i] = grid;
        }

        return grids;
    }

    /// <summary>Null where the mapping has no int8 form: of a custom module.</summary>
    private static Tensor? Values(IObserved module, Call call, Tensor[] inputs, TensorGrid[] grids)
    {
        using var noGrad = no_grad();
        var record = module.Calibration!;
        var options = new ConversionOptions(record.Run.Mapping, CustomModuleMapping.Default, IsReference: false, AllowReuse: true, AllowUnfused: true);
        using var int8 = new ModuleConversion(options, _ => true).Twin(record.Path, (nn.Module)module);
        if (int8 is null)
            return null;
        var codes = inputs.Zip(grids, TensorGrids.Codes).ToArray();
        try
        {
            using var result = call(int8, codes);
            return TensorGrids.Values(result);
        }
        finally
        {
            Array.ForEach(codes, tensor => tensor.Dispose());
        }
    }

    private static Tensor Given(Tensor output, Tensor values)
    {
        var grid = TensorGrids.Of(values)!;
        using (output)
            return TensorGrids.Remember(GivenValues.Apply(output, values), grid);
    }
}
