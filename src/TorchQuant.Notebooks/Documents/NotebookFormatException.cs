namespace TorchQuant.Notebooks.Documents;

/// <summary>A file that is not a notebook this program can read: what was found, and what would be right.</summary>
internal sealed class NotebookFormatException(string message, Exception? inner = null) : Exception(message, inner);
