using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>The checks of what a recurrent module is given. Each failure names the module, what was found, what was expected and the mend.</summary>
/// <param name="name">The module as messages name it.</param>
/// <param name="options">Its sizes.</param>
internal class RecurrentInput(Func<string> name, RecurrentSettings options)
{
    /// <summary>The checks of a module that computes in float32.</summary>
    public RecurrentInput(IQuantizedModule module, RecurrentSettings options) : this(() => Float32OnCpu.Name(module), options)
    {
    }

    /// <summary>The module as messages name it.</summary>
    protected string Name => name();

    /// <summary>A sequence of three dimensions; returns steps and batch.</summary>
    public (int Steps, int Batch) Sequence(Tensor input)
    {
        RequireType(input, "input");
        var layout = options.BatchFirst ? "(batch, sequence, features)" : "(sequence, batch, features)";
        if (input.ndim != 3)
            throw Bad($"the input is {Shape(input)}; expected three dimensions, {layout}. " +
                      $"Add the batch dimension of an unbatched sequence with unsqueeze({(options.BatchFirst ? 0 : 1)}), as for TorchSharp's own module.");
        Features(input, layout);
        var (steps, batch) = options.BatchFirst ? (input.size(1), input.size(0)) : (input.size(0), input.size(1));
        if (steps == 0)
            throw Bad($"the input is {Shape(input)}, a sequence of no steps; expected at least one, {layout}. Leave out empty sequences.");
        return (checked((int)steps), checked((int)batch));
    }

    /// <summary>The data of a packed sequence.</summary>
    public void Packed(Tensor data)
    {
        RequireType(data, "packed data");
        if (data.ndim != 2)
            throw Bad($"the packed data are {Shape(data)}; expected (sum of the lengths, features). Pack with pack_padded_sequence or pack_sequence.");
        Features(data, "(sum of the lengths, features)");
    }

    /// <summary>The input of a cell, (batch, features) or (features); returns the batch and whether there was a batch dimension.</summary>
    public (int Batch, bool Batched) Step(Tensor input)
    {
        RequireType(input, "input");
        if (input.ndim is not (1 or 2))
            throw Bad($"the input is {Shape(input)}; expected (batch, features) or (features). Give a cell one step at a time.");
        Features(input, "(batch, features) or (features)");
        return input.ndim == 2 ? (checked((int)input.size(0)), true) : (1, false);
    }

    /// <summary>A state of exactly the given shape.</summary>
    public void State(Tensor state, string name, ReadOnlySpan<long> shape)
    {
        RequireType(state, name);
        var fits = state.ndim == shape.Length;
        for (var i = 0; fits && i < shape.Length; i++)
            fits = state.size(i) == shape[i];
        if (!fits)
            throw Bad($"{name} is {Shape(state)}; expected ({string.Join(", ", shape.ToArray())}), " +
                      $"{(shape.Length == 3 ? "(layers * directions, batch, hidden)" : shape.Length == 2 ? "(batch, hidden)" : "(hidden)")} for this input. " +
                      "Make the state for the input's batch, or give none for zeros.");
    }

    private void Features(Tensor input, string layout)
    {
        var found = input.size(-1);
        if (found != options.InputSize)
            throw Bad($"the input is {Shape(input)} with {found} features; expected {options.InputSize} in the last dimension, {layout}. " +
                      $"{(input.ndim == 3 && input.size(1) == options.InputSize ? "The features are in the middle: transpose(1, 2)." : "Give the features that the module was made for.")}");
    }

    /// <summary>Refuses a tensor of another type or device than the module computes with.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="name">What it is, for the message.</param>
    protected virtual void RequireType(Tensor tensor, string name)
    {
        ArgumentNullException.ThrowIfNull(tensor, name);
        if (tensor.dtype != ScalarType.Float32)
            throw Bad($"{name} is {tensor.dtype}; expected Float32. Convert it: {name.Replace(' ', '_')}.to(ScalarType.Float32).");
        if (tensor.device_type != TorchSharp.DeviceType.CPU)
            throw Bad($"{name} is on {tensor.device}; expected the CPU. Move it: {name.Replace(' ', '_')}.cpu().");
    }

    /// <summary>The exception for what the module does not take.</summary>
    protected ArgumentException Bad(string what) => new($"{Name}: {what}");

    private static string Shape(Tensor tensor) => $"({string.Join(", ", tensor.shape)})";
}
