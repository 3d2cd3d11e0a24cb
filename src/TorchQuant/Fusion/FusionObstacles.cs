using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>What stands in the way of fusing modules of the right types: reads the model, never runs it.</summary>
internal sealed class FusionObstacles(ModuleGraph graph)
{
    /// <summary>One sentence for each obstacle, with what was found and the mend.</summary>
    public IEnumerable<string> Of(FusionGroup group) => (group.Pattern.Folds || group.Pattern.KeepsNorm ? Folding(group) : []).Concat(Shared(group));

    /// <summary>Why a batch norm is not folded in training mode, where it uses the batch's statistics and changes its own; null where nothing is folded or all is in eval mode.</summary>
    public static string? Training(FusionGroup group)
    {
        if (!group.Pattern.Folds) return null;
        var training = group.Names.Take(2).Where((_, i) => group.Modules[i].training).ToList();
        return training.Count == 0 ? null : $"fusion only for eval: {string.Join(" and ", training)} in training mode would change the batch norm that is folded; call model.eval() first";
    }

    /// <summary>Why modules in eval mode are not fused for training; null where all train.</summary>
    public static string? Eval(FusionGroup group)
    {
        var eval = group.Names.Where((_, i) => !group.Modules[i].training).ToList();
        return eval.Count == 0 ? null : $"fuse_modules_qat is for training mode: {string.Join(" and ", eval)} in eval mode; call model.train() first, or fuse_modules for a model that is trained already";
    }

    private static IEnumerable<string> Folding(FusionGroup group)
    {
        var (first, norm) = (group.Modules[0], (BatchNorm)group.Modules[1]);
        var (name, normName) = (group.Names[0], group.Names[1]);
        var outputs = first is Linear linear ? linear.out_features : ((Convolution)first).out_channels;
        if (outputs != norm.num_features)
            yield return $"{normName} normalizes {norm.num_features} features, but {name} gives {outputs}; they must be equal";
        if (norm.running_mean is null || norm.running_var is null)
            yield return $"{normName} has no running statistics to fold (track_running_stats: false); make it with track_running_stats: true";
        else if (norm.running_mean.device_type != first.parameters().First().device_type)
            yield return $"{name} is on {first.parameters().First().device}, {normName} on {norm.running_mean.device}; move them to one device";
        if (ModuleHooks.Any(first, ModuleHooks.After))
            yield return $"{name} has forward hooks, but its output before {normName} will not exist; remove them, or register them on {normName}";
        if (ModuleHooks.Any(norm, ModuleHooks.Before))
            yield return $"{normName} has forward pre-hooks, but its input will not exist; remove them, or register them on {name}";
        if (group is { Pattern.KeepsNorm: true, Modules.Count: > 2 } && (ModuleHooks.Any(norm, ModuleHooks.After) || ModuleHooks.Any(group.Modules[2], ModuleHooks.Before)))
            yield return $"hooks between {normName} and {group.Names[2]} have no place in the fused module; remove them, or register forward hooks on {group.Names[2]}";
    }

    /// <summary>A module in several places would become Identity in all of them, also where it is no part of this sequence.</summary>
    private IEnumerable<string> Shared(FusionGroup group)
    {
        var places = group.Modules.Select(RegisteredAs).ToList();
        var least = places.Min(p => p.Count);
        return from place in places.Index()
               where place.Item.Count > least
               select $"{group.Names[place.Index]} is one module in {place.Item.Count} places ({string.Join(", ", place.Item)}) and would be fused away in all of them; give each sequence a {CSharpNames.Of(group.Modules[place.Index].GetType())} of its own";
    }

    private List<string> RegisteredAs(nn.Module module)
        => [.. from parent in graph.Modules from child in parent.Module.named_children() where ReferenceEquals(child.module, module) select parent.Path.Length == 0 ? child.name : $"{parent.Path}.{child.name}"];
}
