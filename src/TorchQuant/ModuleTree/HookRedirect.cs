using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// The opt-in fallback for a module in a place that cannot hold its replacement (a field declared <c>Linear</c>): hooks on the old module hand each
/// <c>call</c> to the replacement. A pre-hook gives the old module an input of 0 rows, so that it costs next to nothing; a hook afterwards returns the
/// replacement's result. What it cannot do: <c>forward</c> runs no hooks in TorchSharp, so code that calls <c>.forward</c> goes on computing with the
/// old module, and there is no way to notice it; overloads of <c>call</c> that bypass the hooks (packed sequences) do so too; the old weights stay in memory.
/// </summary>
internal abstract class HookRedirect
{
    private static readonly ConditionalWeakTable<nn.Module, HookRedirect> s_redirects = [];

    /// <summary>The module that computes.</summary>
    public abstract nn.Module Target { get; }

    /// <summary>Lets another module compute.</summary>
    public abstract void SetTarget(nn.Module module);

    /// <summary>Takes the old module's own hooks off it, to be put back by <see cref="Remove"/>: its replacement runs them.</summary>
    protected Action RestoreHooks { get; private set; } = static () => { };

    /// <summary>The redirect that sits on this module, or null.</summary>
    public static HookRedirect? Of(nn.Module module) => s_redirects.TryGetValue(module, out var redirect) ? redirect : null;

    /// <summary>Whether calls of this module can be handed to that one.</summary>
    public static bool CanAttach(nn.Module old, nn.Module target)
        => old is Linear or Embedding or EmbeddingBag or Convolution or LSTM or GRU or RNN or LSTMCell or GRUCell or RNNCell
           && CSharpNames.CallableBase(old.GetType()).IsInstanceOfType(target);

    /// <summary>Puts the hooks on <paramref name="old"/>; <see cref="CanAttach"/> holds.</summary>
    public static void Attach(nn.Module old, nn.Module target)
    {
        var restore = ModuleHooks.TakeOff(old);
        HookRedirect redirect = old switch
        {
            EmbeddingBag m => Three(m, target, (_, _, _) => (empty(0, 1, dtype: ScalarType.Int64), null, null)),
            LSTM m => Two(m, target, (x, _) => (NoBatch(m, x), null)),
            GRU m => Two<Tensor, Tensor?, (Tensor, Tensor)>(m!, target, (x, _) => (NoBatch(m, x), null)),
            RNN m => Two(m, target, (x, _) => (NoBatch(m, x), null)),
            LSTMCell m => Two(m, target, (x, _) => (NoRows(x), null)),
            GRUCell or RNNCell => Two((nn.Module<Tensor, Tensor?, Tensor>)old, target, (x, _) => (NoRows(x), null)),
            nn.Module<Tensor, Tensor> m => One(m, target, NoRows),
            _ => throw new ArgumentException($"{old.GetType().Name} cannot hand its calls on by hooks.", nameof(old)),
        };
        redirect.RestoreHooks = restore;
        s_redirects.Add(old, redirect);
    }

    /// <summary>Removes the redirect that sits on this module.</summary>
    public static void Remove(nn.Module old)
    {
        if (Of(old) is not { } redirect) return;
        s_redirects.Remove(old);
        redirect.RestoreHooks();
    }

    private static Redirect<nn.Module<T, TResult>, T> One<T, TResult>(nn.Module<T, TResult> old, nn.Module target, Func<T, T> nothing)
    {
        var redirect = new Redirect<nn.Module<T, TResult>, T>(target);
        old.register_forward_pre_hook((_, x) => redirect.Keep(x, nothing(x)));
        old.register_forward_hook((_, x, result) =>
        {
            Drop(x);
            Drop(result);
            return redirect.Module.call(redirect.Take());
        });
        return redirect;
    }

    private static Redirect<nn.Module<T1, T2, TResult>, (T1, T2)> Two<T1, T2, TResult>(nn.Module<T1, T2, TResult> old, nn.Module target, Func<T1, T2, (T1, T2)> nothing)
    {
        var redirect = new Redirect<nn.Module<T1, T2, TResult>, (T1, T2)>(target);
        old.register_forward_pre_hook((_, x, y) => redirect.Keep((x, y), nothing(x, y)));
        old.register_forward_hook((_, x, _, result) =>
        {
            Drop(x);
            Drop(result);
            var input = redirect.Take();
            return redirect.Module.call(input.Item1, input.Item2);
        });
        return redirect;
    }

    private static Redirect<nn.Module<T1, T2, T3, TResult>, (T1, T2, T3)> Three<T1, T2, T3, TResult>(nn.Module<T1, T2, T3, TResult> old, nn.Module target, Func<T1, T2, T3, (T1, T2, T3)> nothing)
    {
        var redirect = new Redirect<nn.Module<T1, T2, T3, TResult>, (T1, T2, T3)>(target);
        old.register_forward_pre_hook((_, x, y, z) => redirect.Keep((x, y, z), nothing(x, y, z)));
        old.register_forward_hook((_, x, _, _, result) =>
        {
            Drop(x);
            Drop(result);
            var input = redirect.Take();
            return redirect.Module.call(input.Item1, input.Item2, input.Item3);
        });
        return redirect;
    }

    private static Tensor NoRows(Tensor x)
    {
        if (x.is_quantized()) return zeros(x.dim() >= 2 ? [0, .. x.shape[1..]] : [0, .. x.shape], ScalarType.Float32, x.device); // the old module computes in float
        if (x.dim() >= 2) return x.narrow(0, 0, 0);
        using var row = x.unsqueeze(0);
        return row.narrow(0, 0, 0);
    }

    /// <summary>One step of no sequences: libtorch wants at least one step.</summary>
    private static Tensor NoBatch(nn.Module module, Tensor x)
    {
        var features = x.shape[^1];
        return TorchSharpPrivates.Recurrent(module).BatchFirst ? zeros([0, 1, features], x.dtype, x.device) : zeros([1, 0, features], x.dtype, x.device);
    }

    private static void Drop(object? result)
    {
        if (result is Tensor tensor) tensor.Dispose();
        else if (result is ITuple tuple)
            for (var i = 0; i < tuple.Length; i++) Drop(tuple[i]);
    }

    /// <summary>The replacement and the input of the call that is under way; several threads may call one module.</summary>
    private sealed class Redirect<TModule, TInput>(nn.Module target) : HookRedirect where TModule : nn.Module
    {
        private readonly AsyncLocal<TInput?> _input = new();

        public TModule Module { get; private set; } = (TModule)target;

        public override nn.Module Target => Module;

        public override void SetTarget(nn.Module module) => Module = (TModule)module;

        public TInput Keep(TInput input, TInput nothing)
        {
            _input.Value = input;
            return nothing;
        }

        public TInput Take()
        {
            var input = _input.Value!;
            _input.Value = default;
            return input;
        }
    }
}
