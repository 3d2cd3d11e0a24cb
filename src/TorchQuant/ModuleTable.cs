using System.Collections;
using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>Which float module is replaced by what: exact type to factory.</summary>
/// <typeparam name="TFactory">The delegate that makes the replacement.</typeparam>
public abstract class ModuleTable<TFactory> : IEnumerable<KeyValuePair<Type, TFactory>> where TFactory : Delegate
{
    private readonly Dictionary<Type, TFactory> _rows;

    private protected ModuleTable(ModuleTable<TFactory>? other) => _rows = other is null ? [] : new(other._rows);

    /// <summary>The types that have a row.</summary>
    public IReadOnlyCollection<Type> Types => _rows.Keys;

    /// <summary>The factory for the modules of one exact type; setting it adds or replaces the row.</summary>
    /// <param name="type">A type that derives from <c>nn.Module</c>.</param>
    /// <exception cref="ArgumentException">Set: the type is no module type.</exception>
    /// <exception cref="KeyNotFoundException">Get: no row for the type.</exception>
    public TFactory this[Type type]
    {
        get => _rows[type];
        set
        {
            ArgumentNullException.ThrowIfNull(type);
            ArgumentNullException.ThrowIfNull(value);
            if (!type.IsAssignableTo(typeof(nn.Module)))
                throw new ArgumentException($"{type} is not a type of module: a mapping goes from module types to factories.", nameof(type));
            _rows[type] = value;
        }
    }

    /// <summary>The factory for the modules of one exact type, if there is a row.</summary>
    /// <param name="type">The exact type of a module.</param>
    /// <param name="factory">The factory.</param>
    /// <returns>Whether there is a row.</returns>
    public bool TryGetValue(Type type, [MaybeNullWhen(false)] out TFactory factory) => _rows.TryGetValue(type, out factory);

    /// <summary>Removes the row of a type, whose modules then stay float.</summary>
    /// <param name="type">The exact type.</param>
    /// <returns>Whether there was one.</returns>
    public bool Remove(Type type) => _rows.Remove(type);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<Type, TFactory>> GetEnumerator() => _rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
