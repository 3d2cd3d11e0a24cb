using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;
using PackedSequence = TorchSharp.torch.nn.utils.rnn.PackedSequence;

namespace TorchQuant;

/// <summary>Calls that TorchSharp offers on its sealed LSTM and GRU only, for the base types that a field must have to hold the float module
/// and the quantized one.</summary>
/// <remarks>A field declared <c>Module&lt;Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)&gt;</c> instead of <c>LSTM</c> lets <c>quantize_dynamic</c> replace it;
/// with these, code such as <c>rnn.call(x)</c> and <c>rnn.call(packed)</c> goes on compiling.</remarks>
public static class RecurrentCalls
{
    /// <summary>Runs an LSTM, float or quantized, from zero states.</summary>
    /// <param name="module">The module.</param>
    /// <param name="input">As for <see cref="DynamicQuantizedLSTM.forward"/>.</param>
    public static (Tensor, Tensor, Tensor) call(this nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> module, Tensor input)
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.call(input, null);
    }

    /// <summary>Runs an LSTM, float or quantized, over packed sequences.</summary>
    /// <param name="module">An <see cref="LSTM"/> or a <see cref="DynamicQuantizedLSTM"/>.</param>
    /// <param name="input">As for <see cref="DynamicQuantizedLSTM.call(PackedSequence, ValueTuple{Tensor, Tensor}?)"/>.</param>
    /// <param name="h0_c0">The initial states; zeros if null.</param>
    /// <exception cref="ArgumentException">The module is neither.</exception>
    public static (PackedSequence, Tensor, Tensor) call(
        this nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)> module, PackedSequence input, (Tensor, Tensor)? h0_c0 = null) => module switch
        {
            LSTM lstm => lstm.call(input, h0_c0),
            DynamicQuantizedLSTM lstm => lstm.call(input, h0_c0),
            _ => throw NoPacked(module, "LSTM or DynamicQuantizedLSTM"),
        };

    /// <summary>Runs a GRU (or an RNN), float or quantized, from zero states.</summary>
    /// <param name="module">The module.</param>
    /// <param name="input">As for <see cref="DynamicQuantizedGRU.forward"/>.</param>
    public static (Tensor, Tensor) call(this nn.Module<Tensor, Tensor, (Tensor, Tensor)> module, Tensor input)
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.call(input, null!);
    }

    /// <summary>Runs a GRU, float or quantized, over packed sequences.</summary>
    /// <param name="module">A <see cref="GRU"/> or a <see cref="DynamicQuantizedGRU"/>.</param>
    /// <param name="input">As for <see cref="DynamicQuantizedGRU.call(PackedSequence, Tensor?)"/>.</param>
    /// <param name="h0">The initial state; zeros if null.</param>
    /// <exception cref="ArgumentException">The module is neither.</exception>
    public static (PackedSequence, Tensor) call(this nn.Module<Tensor, Tensor, (Tensor, Tensor)> module, PackedSequence input, Tensor? h0 = null) => module switch
    {
        GRU gru => gru.call(input, h0),
        DynamicQuantizedGRU gru => gru.call(input, h0),
        _ => throw NoPacked(module, "GRU or DynamicQuantizedGRU"),
    };

    private static ArgumentException NoPacked(nn.Module? module, string expected) =>
        new($"{module?.GetType().Name ?? "null"} takes no packed sequence; expected {expected}. Pad the sequences with pad_packed_sequence.", nameof(module));
}
