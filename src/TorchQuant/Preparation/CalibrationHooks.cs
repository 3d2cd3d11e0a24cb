using System.Collections;
using System.Reflection;
using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The hooks that <c>prepare</c> registers on the model and on its batch norms, and that <c>convert</c> removes. They are copied with the model.</summary>
internal static class CalibrationHooks
{
    private const BindingFlags Mine = BindingFlags.Static | BindingFlags.NonPublic;

    /// <summary>Lets a calibration see the calls of the model, and its inputs if they are one to three tensors.</summary>
    public static void Attach(nn.Module model, CalibrationRun run)
    {
        if (ModuleHooks.Hookable(model) is not { } hookable)
            return;
        Add(model, hookable, "module_pre_hooks", new Action<nn.Module>(run.Begin));
        Add(model, hookable, "module_post_hooks", new Action<nn.Module>(run.End));
        if (Arguments(model) is not { } arguments)
            return;
        // First of all hooks: what the user's make of the input, they make of the example again.
        var hooks = (IDictionary)TorchSharpPrivates.Field(hookable, "pre_hooks").GetValue(model)!;
        var users = new List<DictionaryEntry>();
        foreach (DictionaryEntry hook in hooks)
            users.Add(hook);
        hooks.Clear();
        Of(nameof(Watch1), nameof(Watch2), nameof(Watch3), arguments).Invoke(null, [model, new InputHook(run)]);
        users.ForEach(hook => hooks.Add(hook.Key, hook.Value));
    }

    /// <summary>Lets a calibration see what flows into a batch norm.</summary>
    public static void Attach(BatchNorm norm, string path, CalibrationRun run) => norm.register_forward_pre_hook(new BatchNormHook(path, run).See);

    /// <summary>The calibration that sees the calls of a model; null if there is none.</summary>
    public static CalibrationRun? RunOf(nn.Module model)
    {
        if (ModuleHooks.Hookable(model) is { } hookable)
            foreach (DictionaryEntry hook in (IDictionary)TorchSharpPrivates.Field(hookable, "module_pre_hooks").GetValue(model)!)
                if (((Delegate)hook.Value!).Target is CalibrationRun run)
                    return run;
        return null;
    }

    /// <summary>Removes all of them from the modules of a model.</summary>
    public static void Remove(IEnumerable<nn.Module> modules)
    {
        foreach (var module in modules)
            if (ModuleHooks.Hookable(module) is { } hookable)
                foreach (var table in ModuleHooks.Tables(hookable).Select(field => (IDictionary)field.GetValue(module)!))
                    foreach (var key in Keys(table))
                        table.Remove(key);
    }

    /// <summary>Whether a module has no hooks but these.</summary>
    public static bool HasNoOthers(nn.Module module) =>
        ModuleHooks.Hookable(module) is not { } hookable || ModuleHooks.Tables(hookable).Select(field => (IDictionary)field.GetValue(module)!).All(table => table.Count == Keys(table).Count);

    /// <summary>Runs a model on inputs as <c>call</c> does.</summary>
    /// <returns>Whether the model takes such inputs.</returns>
    public static bool Call(nn.Module model, Tensor?[] inputs)
    {
        if (Arguments(model) is not { } arguments || arguments.Length - 1 != inputs.Length)
            return false;
        Of(nameof(Call1), nameof(Call2), nameof(Call3), arguments).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [model, inputs], null);
        return true;
    }

    private static List<object> Keys(IDictionary table)
    {
        var keys = new List<object>();
        foreach (DictionaryEntry hook in table)
            if (((Delegate)hook.Value!).Target is CalibrationRun or InputHook or BatchNormHook or PoolingHook)
                keys.Add(hook.Key);
        return keys;
    }

    private static void Add(nn.Module model, Type hookable, string table, Delegate hook) =>
        ((IDictionary)TorchSharpPrivates.Field(hookable, table).GetValue(model)!)[Guid.NewGuid().ToString()] = hook;

    /// <summary>The type arguments of the nn.Module that a model derives from, where its one to three inputs are tensors.</summary>
    private static Type[]? Arguments(nn.Module model)
    {
        foreach (var definition in (Type[])[typeof(nn.Module<,>), typeof(nn.Module<,,>), typeof(nn.Module<,,,>)])
            if (ModuleGraph.IsGeneric(model.GetType(), definition) is { } type)
                return type.GetGenericArguments() is var arguments && arguments[..^1].All(a => a == typeof(Tensor)) ? arguments : null;
        return null;
    }

    private static MethodInfo Of(string one, string two, string three, Type[] arguments) =>
        typeof(CalibrationHooks).GetMethod(arguments.Length switch { 2 => one, 3 => two, _ => three }, Mine)!.MakeGenericMethod(arguments[^1]);

    private static void Watch1<TResult>(nn.Module<Tensor, TResult> model, InputHook hook) => model.register_forward_pre_hook(hook.See);

    private static void Watch2<TResult>(nn.Module<Tensor, Tensor, TResult> model, InputHook hook) => model.register_forward_pre_hook(hook.See);

    private static void Watch3<TResult>(nn.Module<Tensor, Tensor, Tensor, TResult> model, InputHook hook) => model.register_forward_pre_hook(hook.See);

    private static void Call1<TResult>(nn.Module<Tensor, TResult> model, Tensor?[] inputs) => model.call(inputs[0]!);

    private static void Call2<TResult>(nn.Module<Tensor, Tensor, TResult> model, Tensor?[] inputs) => model.call(inputs[0]!, inputs[1]!);

    private static void Call3<TResult>(nn.Module<Tensor, Tensor, Tensor, TResult> model, Tensor?[] inputs) => model.call(inputs[0]!, inputs[1]!, inputs[2]!);

    private sealed class InputHook(CalibrationRun run) : ICopiedWithModel
    {
        public Tensor See(nn.Module model, Tensor input)
        {
            run.Input(input);
            return input;
        }

        public (Tensor, Tensor)? See(nn.Module model, Tensor input1, Tensor input2)
        {
            run.Input(input1, input2);
            return null;
        }

        public (Tensor, Tensor, Tensor)? See(nn.Module model, Tensor input1, Tensor input2, Tensor input3)
        {
            run.Input(input1, input2, input3);
            return null;
        }
    }

    private sealed class BatchNormHook(string path, CalibrationRun run) : ICopiedWithModel
    {
        public Tensor See(nn.Module norm, Tensor input)
        {
            if (ObservedModule.LayerBefore(input) is { } layer && ReferenceEquals(layer.Run, run))
                run.Unfused[path] = layer.Path;
            return input;
        }
    }
}
