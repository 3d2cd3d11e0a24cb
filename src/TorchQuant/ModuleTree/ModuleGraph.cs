using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Walks a model depth first and finds every module once, by its first path, and every place that holds a module: what TorchSharp registered comes first
/// (it gives the names of state_dict), then fields, collections, closures and plain objects that TorchSharp does not look into.
/// </summary>
/// <param name="enter">Called once for each module below the root, before what is in it; false: do not walk into it.</param>
internal sealed class ModuleGraph(Func<string, nn.Module, bool> enter)
{
    private const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
    private const string TupleObstacle = "sits in a tuple, whose items cannot be exchanged; hold it in a field of its own";

    private readonly Dictionary<object, string> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly List<(string Path, nn.Module Module)> _modules = [];
    private readonly List<Slot> _slots = [];

    /// <summary>Every module once, the root first with the empty path.</summary>
    public IReadOnlyList<(string Path, nn.Module Module)> Modules => _modules;

    /// <summary>Every place that holds one of <see cref="Modules"/>; one module may have many.</summary>
    public IReadOnlyList<Slot> Slots => _slots;

    /// <summary>Walks the whole model.</summary>
    public void Walk(nn.Module root)
    {
        _seen.Add(root, "");
        _modules.Add(("", root));
        Inside(root, "");
    }

    private void Inside(nn.Module module, string path)
    {
        var registry = TorchSharpPrivates.Submodules(module);
        foreach (var (name, child) in module.named_children().ToList()) Enter(child, Join(path, name));
        for (var i = 0; i < registry.Count; i++)
        {
            var (name, child) = registry[i];
            Hold(child, new Place(Join(path, name), Join(path, name), typeof(nn.Module), typeof(nn.Module), r =>
            {
                TorchSharpPrivates.RegisterComponents((nn.Module)r!);
                registry[name] = (nn.Module)r!;
            }, IsRegistry: true));
        }

        if (IsGeneric(module.GetType(), typeof(ModuleDict<>)) is { } dict) ModuleDict(module, dict, path);
        else Fields(module, module.GetType(), path);
    }

    private void Fields(object owner, Type type, string path)
    {
        for (var t = type; t is not null && t != typeof(object) && !IsModuleBase(t); t = t.BaseType)
        {
            var isTorchSharp = t.Assembly == typeof(torch).Assembly;
            foreach (var field in t.GetFields(Everything))
            {
                if (field.IsLiteral || (field.IsStatic && (isTorchSharp || !typeof(nn.Module).IsAssignableFrom(field.FieldType))) || IsPlain(field.FieldType)) continue;
                var name = CSharpNames.Field(field.Name);
                var where = isTorchSharp ? path : $"{CSharpNames.Of(t)}.{name}";
                var container = isTorchSharp ? type : field.FieldType;
                var place = new Place(isTorchSharp ? path : Join(path, name), where, field.FieldType, container, r => field.SetValue(owner, r));
                if (field.IsStatic) place = place.Fixed("is static, so every instance of the model shares it; make it an instance field");
                else if (type.IsValueType) place = place.Fixed($"sits in the struct {CSharpNames.Of(type)}; make that a class");
                Value(field.GetValue(field.IsStatic ? null : owner), place);
            }
        }
    }

    private void Value(object? value, Place place)
    {
        switch (value)
        {
            case null or string or Tensor or Type or Pointer: return;
            case nn.Module module: Hold(module, place); return;
            case Delegate call: Closure(call, place); return;
        }

        if (IsPlain(value.GetType()) || (!value.GetType().IsValueType && !_seen.TryAdd(value, place.Path))) return;
        switch (value)
        {
            case Array array: Elements(array, place); return;
            case IDictionary dictionary when dictionary.GetType().IsGenericType: Entries(dictionary, place); return;
            case IList { IsReadOnly: false, IsFixedSize: false } list: Items(list, place); return;
            case ITuple tuple:
                for (var i = 0; i < tuple.Length; i++)
                    Value(tuple[i], place.Element($"Item{i + 1}", typeof(nn.Module), null).Fixed(TupleObstacle));
                return;
        }

        var type = value.GetType();
        if (!IsFramework(type) || IsGeneric(type, typeof(System.Collections.ObjectModel.ReadOnlyCollection<>)) is not null) PlainObject(value, type, place);
        else if (value is IEnumerable items && type.IsGenericType && type.GetGenericArguments().Any(typeof(nn.Module).IsAssignableFrom))
            foreach (var (i, item) in items.Cast<object?>().Index())
                Value(item, place.Element(Text(i), typeof(nn.Module), null).Fixed($"sits in a {CSharpNames.Of(type)}; hold it in a list, an array or a dictionary"));
    }

    private void PlainObject(object value, Type type, Place place)
    {
        if (IsFramework(type)) // ReadOnlyCollection: the list below it
        {
            foreach (var field in type.GetFields(Everything).Where(f => !f.IsStatic)) Value(field.GetValue(value), place);
            return;
        }

        Fields(value, type, place.Path);
    }

    private void Closure(Delegate call, Place place)
    {
        foreach (var part in call.GetInvocationList())
        {
            if (part.Target is nn.Module bound)
            {
                // Only an obstacle if the module turns out to be replaced: it is no child of the delegate's owner.
                if (!ReferenceEquals(bound, _modules[0].Module))
                    _slots.Add(new Slot(place.Path, place.Where, place.Declared, place.Container, bound, null,
                        $"is bound to the method {part.Method.Name} of the module itself; call the module by its field instead"));
            }
            else if (part.Target is { } target && IsDisplayClass(target.GetType()))
            {
                Captures(target, place);
            }
        }
    }

    private void Captures(object display, Place place)
    {
        if (!_seen.TryAdd(display, place.Path)) return;
        foreach (var field in display.GetType().GetFields(Everything).Where(f => !f.IsStatic))
        {
            var captured = field.GetValue(display);
            var inner = new Place(Join(place.Path, CSharpNames.Field(field.Name)), $"the variable {CSharpNames.Field(field.Name)} captured by {place.Where}",
                field.FieldType, field.FieldType, r => field.SetValue(display, r));
            if (captured is nn.Module or Delegate or ICollection) Value(captured, inner);
            else if (captured is not null && IsDisplayClass(captured.GetType())) Captures(captured, place);
        }
    }

    private void Elements(Array array, Place place)
    {
        var element = array.GetType().GetElementType()!;
        if (HoldsNoModule(element)) return;
        if (array.Rank == 1)
        {
            for (var i = 0; i < array.Length; i++)
            {
                var at = i;
                Value(array.GetValue(at), place.Element(Text(at), element, r => array.SetValue(r, at), array.GetType()));
            }

            return;
        }

        foreach (var (i, item) in array.Cast<object?>().Index())
            Value(item, place.Element(Text(i), element, null).Fixed($"sits in a {array.Rank}-dimensional array; use an array of arrays"));
    }

    private void Entries(IDictionary dictionary, Place place)
    {
        var element = dictionary.GetType().GetGenericArguments().ElementAtOrDefault(1) ?? typeof(object);
        if (HoldsNoModule(element)) return;
        foreach (var key in dictionary.Keys.Cast<object>().ToList())
        {
            var set = dictionary.IsReadOnly ? null : (Action<object?>)(r => dictionary[key] = r);
            var inner = place.Element(Convert.ToString(key, CultureInfo.InvariantCulture)!, element, set, dictionary.GetType());
            Value(dictionary[key], set is null ? inner.Fixed($"sits in a read-only {CSharpNames.Of(dictionary.GetType())}; use a Dictionary") : inner);
        }
    }

    private void Items(IList list, Place place)
    {
        var element = list.GetType().GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IList<>))?.GetGenericArguments()[0] ?? typeof(object);
        if (HoldsNoModule(element)) return;
        for (var i = 0; i < list.Count; i++)
        {
            var at = i;
            Value(list[at], place.Element(Text(at), element, r => list[at] = r, list.GetType()));
        }
    }

    private void ModuleDict(nn.Module module, Type dict, string path)
    {
        var element = dict.GetGenericArguments()[0];
        var byName = dict.GetProperty("Item", element, [typeof(string)])!;
        foreach (var name in ((IEnumerable<string>)dict.GetMethod("keys")!.Invoke(module, null)!).ToList())
            Value(byName.GetValue(module, [name]), new Place(Join(path, name), path, element, dict, r => byName.SetValue(module, r, [name])));
        Fields(module, module.GetType() == dict ? typeof(object) : module.GetType(), path);
    }

    private void Hold(nn.Module module, Place place)
    {
        if (HookRedirect.Of(module) is { } redirect)
        {
            Enter(redirect.Target, place.Path);
            _slots.Add(new Slot(_seen[redirect.Target], place.Where, CSharpNames.CallableBase(module.GetType()), place.Container, redirect.Target, redirect.SetTarget));
            return;
        }

        Enter(module, place.Path);
        _slots.Add(new Slot(_seen[module], place.Where, place.Declared, place.Container, module, place.Set is { } set ? set.Invoke : null, place.Obstacle, place.IsRegistry));
    }

    private void Enter(nn.Module module, string path)
    {
        if (HookRedirect.Of(module) is { } redirect) module = redirect.Target;
        if (!_seen.TryAdd(module, path)) return;
        _modules.Add((path, module));
        if (enter(path, module)) Inside(module, path);
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Text(int index) => index.ToString(CultureInfo.InvariantCulture);

    private static bool IsPlain(Type type) => type.IsPrimitive || type.IsEnum || type.IsPointer || type == typeof(string) || (type.IsArray && IsPlain(type.GetElementType()!));

    /// <summary>A million words in a list are not looked at one by one.</summary>
    private static bool HoldsNoModule(Type element) => IsPlain(element) || typeof(Tensor).IsAssignableFrom(element);

    private static bool IsFramework(Type type) => type.Assembly == typeof(torch).Assembly || type.Namespace is "System" or "Microsoft"
        || type.Namespace?.StartsWith("System.", StringComparison.Ordinal) == true || type.Namespace?.StartsWith("Microsoft.", StringComparison.Ordinal) == true;

    private static bool IsDisplayClass(Type type) => type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);

    /// <summary>nn.Module and its generic bases: their fields are the registry and the hooks.</summary>
    private static bool IsModuleBase(Type type) => type == typeof(nn.Module) || (type.IsGenericType && type.DeclaringType == typeof(nn));

    internal static Type? IsGeneric(Type type, Type definition)
    {
        for (var t = type; t is not null; t = t.BaseType)
            if (t.IsGenericType && t.GetGenericTypeDefinition() == definition) return t;
        return null;
    }

    /// <summary>Where the walk stands: what a value found here is called and how it can be exchanged.</summary>
    private sealed record Place(string Path, string Where, Type Declared, Type Container, Action<object?>? Set, string? Obstacle = null, bool IsRegistry = false)
    {
        public Place Fixed(string obstacle) => this with { Set = null, Obstacle = Obstacle ?? obstacle };

        /// <summary>An element of the collection here. What cannot be exchanged because of a tuple or struct round it stays so, unless the collection is an object of its own.</summary>
        public Place Element(string name, Type declared, Action<object?>? set, Type? collection = null)
            => new(Join(Path, name), Where, declared, Mentions(Container, declared) || collection is null ? Container : collection, set, set is null ? Obstacle : null);

        private static bool Mentions(Type type, Type part) => type == part || (type.IsArray && Mentions(type.GetElementType()!, part))
            || (type.IsGenericType && type.GetGenericArguments().Any(a => Mentions(a, part)));
    }
}
