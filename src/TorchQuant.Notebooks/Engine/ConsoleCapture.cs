using System.Text;

namespace TorchQuant.Notebooks.Engine;

/// <summary>While it lives, what the process writes to the console goes to a cell's output, and reading from it asks the person at the notebook; where there is nobody, it finds its end.</summary>
internal sealed class ConsoleCapture : IDisposable
{
    private readonly TextWriter _out = Console.Out;
    private readonly TextWriter _error = Console.Error;
    private readonly TextReader _in = Console.In;

    public ConsoleCapture(ICellOutput output, ICellInput? input)
    {
        Console.SetOut(new Writer(output, OutputStream.Out));
        Console.SetError(new Writer(output, OutputStream.Error));
        Console.SetIn(input is null ? TextReader.Null : new Reader(input));
    }

    public void Dispose()
    {
        Console.SetOut(_out);
        Console.SetError(_error);
        Console.SetIn(_in);
    }

    private sealed class Writer : TextWriter
    {
        private readonly ICellOutput _output;
        private readonly OutputStream _stream;

        public Writer(ICellOutput output, OutputStream stream)
        {
            (_output, _stream) = (output, stream);
            CoreNewLine = ['\n'];
        }

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => _output.Write(_stream, value.ToString());

        public override void Write(string? value)
        {
            if (value is { Length: > 0 }) _output.Write(_stream, value);
        }

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

        // In one piece, so that lines of two threads do not mix.
        public override void WriteLine(string? value) => Write(value + "\n");

        public override void WriteLine() => Write("\n");
    }

    private sealed class Reader(ICellInput input) : TextReader
    {
        private string _rest = "";

        public override string ReadLine()
        {
            if (_rest.Length == 0) return input.Read("", isPassword: false);
            var line = _rest.TrimEnd('\n');
            _rest = "";
            return line;
        }

        public override int Peek()
        {
            if (_rest.Length == 0) _rest = input.Read("", isPassword: false) + "\n";
            return _rest[0];
        }

        public override int Read()
        {
            var next = Peek();
            _rest = _rest[1..];
            return next;
        }
    }
}
