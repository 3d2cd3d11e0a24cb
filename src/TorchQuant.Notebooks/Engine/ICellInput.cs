namespace TorchQuant.Notebooks.Engine;

/// <summary>Asks the person at the notebook for a line of text. Called from any thread; waits for the answer.</summary>
internal interface ICellInput
{
    /// <param name="prompt">What to ask; may be empty.</param>
    /// <param name="isPassword">Whether the answer must not be shown while it is typed.</param>
    /// <exception cref="InvalidOperationException">There is nobody to ask.</exception>
    string Read(string prompt, bool isPassword);
}
