namespace TorchQuant.Notebooks.Html;

/// <summary>A heading of the page, for the table of contents.</summary>
internal sealed record Heading(int Level, string Text, string Id);
