using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The modules of a model as a tree: walk it, replace modules in it, copy it.</summary>
public static class ModuleTree
{
    /// <summary>
    /// Every module of the model once, depth first, the root first with the empty path. Paths are those of <c>named_modules()</c>; a module that TorchSharp did not
    /// register (an element of an array, list or dictionary, a captured variable) has the path of its field and its index, key or name: <c>heads.0</c>.
    /// </summary>
    /// <param name="root">The model.</param>
    public static IReadOnlyList<(string Path, nn.Module Module)> Walk(nn.Module root)
    {
        ArgumentNullException.ThrowIfNull(root);
        TorchSharpPrivates.EnsureSupported();
        var graph = new ModuleGraph((_, _) => true);
        graph.Walk(root);
        return graph.Modules;
    }

    /// <summary>
    /// Replaces modules below the root, in the model itself, in every place that holds them: fields (also readonly, auto-properties, captured parameters of primary
    /// constructors, private fields of base classes), arrays, lists, dictionaries, variables captured by a closure, plain objects, ModuleList, ModuleDict, Sequential.
    /// A module held in several places is asked for once and gets the same replacement in each. Afterwards state_dict, named_modules, train, eval, to and Dispose
    /// follow the new modules. Hooks that were registered on a replaced module are registered on its replacement too (a HookRemover got earlier removes only the
    /// old one's), and the replacement takes over the training flag. The replaced modules are not disposed.
    /// </summary>
    /// <param name="root">The model. The root itself is not replaced.</param>
    /// <param name="replacement">Given dotted path and module: the module to put in its place, or null to keep it and walk into it. What it throws is listed with the other refusals.</param>
    /// <param name="hookFallback">
    /// Where a place cannot hold the replacement (a field declared <c>Linear</c>), leave the old module there and redirect its <c>call</c> to the replacement by
    /// hooks, instead of refusing. The replacement stands in the registry, so state_dict, save, train, to and Dispose find it. What hooks cannot do:
    /// <c>forward</c> runs no hooks, so code that calls <c>.forward</c> silently goes on computing with the old module; an LSTM, GRU or RNN called with a
    /// PackedSequence does so too; the old weights stay in memory.
    /// </param>
    /// <returns>What was replaced, in the order of the walk.</returns>
    /// <exception cref="ModuleReplacementException">Something cannot be replaced. All refusals are listed, the model is unchanged, and the replacements that were made are disposed.</exception>
    /// <exception cref="NotSupportedException">The loaded TorchSharp is not in [0.107.0, 0.108).</exception>
    public static IReadOnlyList<ModuleReplacement> Replace(nn.Module root, Func<string, nn.Module, nn.Module?> replacement, bool hookFallback = false)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(replacement);
        return new ReplacementPlan(root, replacement).Commit(hookFallback);
    }

    /// <summary>
    /// A copy of the model that shares nothing with it: parameters, buffers, training flags, hooks and Dispose are its own. Parameters keep requires_grad (gradients are
    /// not copied), tied parameters and shared modules stay tied within the copy, quantized modules are rebuilt from their state. Objects in fields that hold neither
    /// modules nor tensors (settings, loggers) are shared, as are closures that reach neither.
    /// </summary>
    /// <remarks>
    /// LSTM, GRU, RNN, their cells, Embedding, EmbeddingBag and MultiheadAttention keep options in native code that no property tells (dropout between layers, the nonlinearity, max_norm, padding
    /// index, mode ...). They are found by running the module on a small probe; its training flag, weights and the random generator's state are put back. So do
    /// not copy a model while another thread computes with it. Not found, hence refused: a dropout between layers that is no multiple of 0.001.
    /// </remarks>
    /// <typeparam name="T">The model's class.</typeparam>
    /// <param name="model">The model; it is unchanged.</param>
    /// <exception cref="ModuleCopyException">Something cannot be copied: the Transformer modules, ScriptModules, optimizers, modules in a HashSet ... All are listed with their dotted paths.</exception>
    /// <exception cref="NotSupportedException">The loaded TorchSharp is not in [0.107.0, 0.108).</exception>
    public static T Copy<T>(T model) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        return ModuleCopier.Run(model);
    }
}
