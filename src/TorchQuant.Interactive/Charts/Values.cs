using System.Collections;
using System.Runtime.CompilerServices;

namespace TorchQuant.Interactive;

/// <summary>
/// An immutable list of numbers: what a series draws. Converts from the arrays and lists of numbers that a notebook has (<c>double[]</c>, <c>float[]</c>, <c>int[]</c>,
/// <c>long[]</c>, <c>List&lt;double&gt;</c>, <c>List&lt;float&gt;</c>, collection expressions); the numbers are copied. Any number is allowed, NaN and infinities too: charts leave them out and say so.
/// </summary>
[CollectionBuilder(typeof(Values), nameof(Create))]
public sealed class Values : IReadOnlyList<double>, IEquatable<Values>
{
    private readonly double[] _items;

    private Values(double[] items) => _items = items;

    /// <summary>No numbers.</summary>
    public static Values Empty { get; } = new([]);

    /// <summary>How many numbers there are.</summary>
    public int Count => _items.Length;

    /// <summary>The number at <paramref name="index"/>.</summary>
    public double this[int index] => _items[index];

    /// <summary>A copy of <paramref name="items"/>.</summary>
    public static Values Create(ReadOnlySpan<double> items) => new(items.ToArray());

    /// <summary>A copy of <paramref name="items"/>.</summary>
    public static Values From(IEnumerable<double> items) => new([.. items]);

    /// <summary>A copy of <paramref name="items"/>.</summary>
    public static Values From(IEnumerable<float> items) => new([.. items.Select(item => (double)item)]);

    /// <summary>first, first + 1, first + 2, …: <paramref name="count"/> numbers.</summary>
    public static Values Sequence(int count, double first = 1) => new([.. Enumerable.Range(0, count).Select(i => first + i)]);

    /// <summary>The numbers as a span, not copied.</summary>
    public ReadOnlySpan<double> AsSpan() => _items;

    /// <inheritdoc/>
    public IEnumerator<double> GetEnumerator() => ((IEnumerable<double>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    /// <summary>The same numbers in the same order; NaN equals NaN.</summary>
    public bool Equals(Values? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Values);

    /// <inheritdoc/>
    public override int GetHashCode() => _items.Length == 0 ? 0 : HashCode.Combine(_items.Length, _items[0], _items[^1]);

    /// <summary>Copies an array.</summary>
    public static implicit operator Values(double[] items) => Create(items);

    /// <summary>Copies an array.</summary>
    public static implicit operator Values(float[] items) => From(items);

    /// <summary>Copies an array.</summary>
    public static implicit operator Values(int[] items) => new([.. items.Select(item => (double)item)]);

    /// <summary>Copies an array.</summary>
    public static implicit operator Values(long[] items) => new([.. items.Select(item => (double)item)]);

    /// <summary>Copies a list.</summary>
    public static implicit operator Values(List<double> items) => From(items);

    /// <summary>Copies a list.</summary>
    public static implicit operator Values(List<float> items) => From(items);
}
