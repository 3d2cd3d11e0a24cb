namespace TorchQuant.Notebooks.Engine.Editing;

/// <summary>What could stand at a place in a cell.</summary>
/// <param name="Text">The text to insert.</param>
/// <param name="Kind">What it is, in the words of Jupyter's front ends: function, class, instance, keyword, …</param>
internal sealed record Completion(string Text, string Kind);

/// <summary>Completions, and the stretch of text that each of them replaces.</summary>
internal sealed record Completions(int Start, int End, IReadOnlyList<Completion> Items)
{
    public static Completions None(int position) => new(position, position, []);
}

/// <summary>Whether a text can be run as it is, for front ends in which Enter may mean either a new line or the end.</summary>
internal enum Completeness
{
    Complete,
    Incomplete,
    Invalid,
}
