using System.Collections;
using System.Collections.ObjectModel;
using System.Reflection;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Copies what the fields of modules hold. Arrays, lists, dictionaries and sets are always new; other objects are new if a module or tensor can be reached through
/// them and shared if not (settings, loggers), closures likewise.
/// </summary>
/// <param name="module">Copies a module.</param>
/// <param name="tensors">Copies tensors.</param>
/// <param name="refuse">Told the dotted path and the obstacle of what cannot be copied.</param>
internal sealed class ObjectCopies(Func<nn.Module, string, nn.Module> module, TensorCopies tensors, Action<string, string> refuse)
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
    private static readonly Func<object, object> s_shallow = typeof(object).GetMethod("MemberwiseClone", BindingFlags.Instance | BindingFlags.NonPublic)!.CreateDelegate<Func<object, object>>();
    private readonly Dictionary<object, object> _memo = new(ReferenceEqualityComparer.Instance);

    /// <summary>A shallow copy of an object.</summary>
    public static T Shallow<T>(T value) where T : class => (T)s_shallow(value);

    /// <summary>Replaces every field of a shallow copy, from its type up to <paramref name="end"/>, by a copy of what it holds.</summary>
    public void Fields(object original, object copy, Type? end, string path)
    {
        for (var t = original.GetType(); t is not null && t != typeof(object) && t != end; t = t.BaseType)
            foreach (var field in t.GetFields(Declared))
            {
                var value = field.GetValue(original);
                var copied = Copy(value, path.Length == 0 ? CSharpNames.Field(field.Name) : $"{path}.{CSharpNames.Field(field.Name)}");
                if (!ReferenceEquals(value, copied)) field.SetValue(copy, copied);
            }
    }

    /// <summary>The copy of anything a field can hold.</summary>
    public object? Copy(object? value, string path)
    {
        switch (value)
        {
            case null or string or Type or Pointer: return value;
            case nn.Module child: return module(child, path);
            case Tensor tensor: return tensors.Copy(tensor);
            case optim.Optimizer or optim.lr_scheduler.LRScheduler:
                refuse(path, $"a {value.GetType().Name} holds the parameters of the original and cannot be copied");
                return value;
        }

        var type = value.GetType();
        if (IsPlain(type)) return value;
        if (!type.IsValueType && _memo.TryGetValue(value, out var known)) return known;
        switch (value)
        {
            case Array array: return Elements(array, path);
            case IList list when Is(type, typeof(List<>)): return Items(list, path);
            case IDictionary dictionary when Is(type, typeof(Dictionary<,>)): return Entries(dictionary, path);
        }

        if (!Reaches(value, new HashSet<object>(ReferenceEqualityComparer.Instance))) return value;
        if (value is Delegate call) return _memo[value] = Closure(call, path);
        if (!CanClone(type))
        {
            refuse(path, $"a {CSharpNames.Of(type)} holds modules or tensors in a way that cannot be copied");
            return value;
        }

        var copy = Shallow(value);
        if (!type.IsValueType) _memo[value] = copy;
        Fields(value, copy, null, path);
        return copy;
    }

    private Array Elements(Array array, string path)
    {
        var copy = (Array)array.Clone();
        _memo[array] = copy;
        var element = array.GetType().GetElementType()!;
        if (IsPlain(element)) return copy;
        var at = new int[array.Rank];
        foreach (var (i, item) in array.Cast<object?>().Index())
        {
            for (int d = array.Rank - 1, rest = i; d >= 0; rest /= array.GetLength(d--)) at[d] = array.GetLowerBound(d) + (rest % array.GetLength(d));
            copy.SetValue(Copy(item, $"{path}.{i}"), at);
        }

        return copy;
    }

    private IList Items(IList list, string path)
    {
        var plain = IsPlain(list.GetType().GetGenericArguments()[0]);
        var copy = (IList)(plain ? Activator.CreateInstance(list.GetType(), list) : Activator.CreateInstance(list.GetType()))!;
        _memo[list] = copy;
        if (plain) return copy;
        for (var i = 0; i < list.Count; i++) copy.Add(Copy(list[i], $"{path}.{i}"));
        return copy;
    }

    private IDictionary Entries(IDictionary dictionary, string path)
    {
        var type = dictionary.GetType();
        var copy = (IDictionary)Activator.CreateInstance(type, type.GetProperty("Comparer")!.GetValue(dictionary))!;
        _memo[dictionary] = copy;
        foreach (DictionaryEntry entry in dictionary) copy.Add(Copy(entry.Key, path)!, Copy(entry.Value, $"{path}.{entry.Key}"));
        return copy;
    }

    private Delegate Closure(Delegate call, string path)
        => Delegate.Combine([.. call.GetInvocationList().Select(part => part.Target is { } target && Copy(target, path) is { } copy && !ReferenceEquals(target, copy)
            ? part.Method.CreateDelegate(part.GetType(), copy)
            : part)])!;

    /// <summary>Types that are their fields: the user's own, tuples, compiler-made closures.</summary>
    private static bool CanClone(Type type) => typeof(ITuple).IsAssignableFrom(type) || Is(type, typeof(ReadOnlyCollection<>)) || Is(type, typeof(KeyValuePair<,>))
        || !(type.Namespace == "System" || type.Namespace?.StartsWith("System.", StringComparison.Ordinal) == true || type.Assembly == typeof(torch).Assembly);

    private static bool Reaches(object? value, HashSet<object> seen)
    {
        if (value is nn.Module or Tensor or optim.Optimizer or ICopiedWithModel) return true;
        if (value is null or string or Type or Pointer) return false;
        var type = value.GetType();
        if (type.IsPrimitive || type.IsEnum || (!type.IsValueType && !seen.Add(value))) return false;
        return value switch
        {
            Delegate call => call.GetInvocationList().Any(part => Reaches(part.Target, seen)),
            Array when IsPlain(type.GetElementType()!) => false,
            IDictionary dictionary => dictionary.Values.Cast<object?>().Any(item => Reaches(item, seen)),
            ICollection items => items.Cast<object?>().Any(item => Reaches(item, seen)),
            ITuple tuple => Enumerable.Range(0, tuple.Length).Any(i => Reaches(tuple[i], seen)),
            IEnumerable items when type.IsGenericType && type.GetGenericArguments().Any(a => typeof(nn.Module).IsAssignableFrom(a) || typeof(Tensor).IsAssignableFrom(a))
                => items.Cast<object?>().Any(item => Reaches(item, seen)),
            _ => CanClone(type) && FieldsOf(type).Any(field => Reaches(field.GetValue(value), seen)),
        };
    }

    private static IEnumerable<FieldInfo> FieldsOf(Type? type)
    {
        for (; type is not null && type != typeof(object); type = type.BaseType)
            foreach (var field in type.GetFields(Declared)) yield return field;
    }

    private static bool IsPlain(Type type) => type.IsPrimitive || type.IsEnum || type == typeof(string);

    private static bool Is(Type type, Type definition) => type.IsGenericType && type.GetGenericTypeDefinition() == definition;
}
