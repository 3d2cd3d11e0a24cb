using System.Collections;
using System.Reflection;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The hooks that a user registered on a module.</summary>
internal static class ModuleHooks
{
    /// <summary>The tables of hooks that run before forward.</summary>
    public static readonly string[] Before = ["pre_hooks", "module_pre_hooks"];

    /// <summary>The tables of hooks that run after forward.</summary>
    public static readonly string[] After = ["post_hooks", "module_post_hooks"];

    private static readonly FieldInfo[] s_ofTensors = [.. Tables(ModuleGraph.IsGeneric(typeof(nn.Module<Tensor, Tensor>), typeof(nn.HookableModule<,>))!)];

    /// <summary>Registers the hooks of <paramref name="from"/> on <paramref name="to"/> too, where both take the same arguments; under the same keys, so none is doubled.</summary>
    public static void Carry(nn.Module from, nn.Module to)
    {
        if (Hookable(from) is not { } hookable || !hookable.IsInstanceOfType(to)) return;
        foreach (var table in Tables(hookable)) Put(Entries((IDictionary)table.GetValue(from)!), (IDictionary)table.GetValue(to)!);
    }

    /// <summary>Whether hooks are registered in these tables.</summary>
    public static bool Any(nn.Module module, string[] tables)
        => Hookable(module) is { } hookable && tables.Any(t => ((IDictionary)TorchSharpPrivates.Field(hookable, t).GetValue(module)!).Count > 0);

    /// <summary>Whether no hooks are registered: for every call, so without a search for the tables.</summary>
    public static bool HasNone(nn.Module<Tensor, Tensor> module)
    {
        foreach (var table in s_ofTensors)
            if (((ICollection)table.GetValue(module)!).Count > 0) return false;
        return true;
    }

    /// <summary>Takes the hooks in these tables off one module and registers them on another that takes the same arguments.</summary>
    public static void Move(nn.Module from, nn.Module to, string[] tables)
    {
        if (ReferenceEquals(from, to) || Hookable(from) is not { } hookable) return;
        foreach (var table in tables.Select(t => TorchSharpPrivates.Field(hookable, t)))
        {
            var (source, target) = ((IDictionary)table.GetValue(from)!, (IDictionary)table.GetValue(to)!);
            Put(Entries(source), target);
            source.Clear();
        }
    }

    /// <summary>Registers hooks that run next to forward: after those that run before it, before those that run after it.</summary>
    /// <returns>An action that removes them.</returns>
    public static Action Innermost(nn.Module<Tensor, Tensor> module, Func<nn.Module<Tensor, Tensor>, Tensor, Tensor> before, Func<nn.Module<Tensor, Tensor>, Tensor, Tensor, Tensor> after)
    {
        var (pre, post) = (Table(module, "pre_hooks"), Table(module, "post_hooks"));
        var (earlier, later) = (Entries(pre), Entries(post));
        pre.Clear(); // a dictionary keeps the order of additions only while nothing is removed
        post.Clear();
        Put(earlier, pre);
        var first = module.register_forward_pre_hook(before);
        var second = module.register_forward_hook(after);
        Put(later, post);
        return () =>
        {
            first.remove();
            second.remove();
        };
    }

    /// <summary>Takes all hooks off a module.</summary>
    /// <returns>An action that removes whatever is registered then and puts them back.</returns>
    public static Action TakeOff(nn.Module module)
    {
        if (Hookable(module) is not { } hookable) return static () => { };
        var kept = Tables(hookable).Select(t => (Table: (IDictionary)t.GetValue(module)!, Hooks: Entries((IDictionary)t.GetValue(module)!))).ToList();
        foreach (var (table, _) in kept) table.Clear();
        return () =>
        {
            foreach (var (table, hooks) in kept)
            {
                table.Clear();
                Put(hooks, table);
            }
        };
    }

    /// <summary>The fields that hold hooks, of a closed HookableModule type.</summary>
    public static IEnumerable<FieldInfo> Tables(Type hookable) => Before.Concat(After).Select(name => TorchSharpPrivates.Field(hookable, name));

    /// <summary>The closed HookableModule type of a module, or null.</summary>
    public static Type? Hookable(nn.Module module) => ModuleGraph.IsGeneric(module.GetType(), typeof(nn.HookableModule<,>));

    private static IDictionary Table(nn.Module module, string name) => (IDictionary)TorchSharpPrivates.Field(Hookable(module)!, name).GetValue(module)!;

    private static List<DictionaryEntry> Entries(IDictionary table)
    {
        var entries = new List<DictionaryEntry>();
        foreach (DictionaryEntry hook in table) entries.Add(hook); // a generic dictionary gives other pairs to Cast
        return entries;
    }

    private static void Put(List<DictionaryEntry> from, IDictionary to)
    {
        foreach (var hook in from) to[hook.Key] = hook.Value;
    }
}
