using System.Text;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using TorchQuant.Notebooks.Jupyter;

namespace TorchQuant.Notebooks.Tests.Jupyter;

public sealed class MessageTests
{
    private static readonly byte[] s_key = Encoding.UTF8.GetBytes("key");

    // RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?".
    [Fact]
    public void The_signature_is_hmac_sha256_over_the_parts_in_order() => Assert.Equal(
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        new MessageSigner(Encoding.UTF8.GetBytes("Jefe")).Sign([.. new[] { "what do ya ", "want ", "for ", "nothing?" }.Select(Encoding.UTF8.GetBytes)]));

    [Property]
    public void What_is_encoded_is_decoded_and_any_changed_byte_is_refused(string text, byte[][] identities, int seed)
    {
        identities = [.. identities.OfType<byte[]>().Where(identity => Encoding.ASCII.GetString(identity) != "<IDS|MSG>")];
        var frames = new MessageCodec(new MessageSigner(s_key)).Encode(identities, "some_request", null, new JsonObject { ["text"] = text });
        var read = new MessageCodec(new MessageSigner(s_key)).Decode(frames)!;
        Assert.Equal("some_request", read.Type);
        // Half a surrogate pair is no text in JSON.
        if (text is not null && !text.Any(char.IsSurrogate)) Assert.Equal(text, read.Text("text"));
        Assert.Equal(identities, read.Identities);

        var random = new Random(seed);
        var part = random.Next(identities.Length + 1, frames.Count);
        var changed = frames.Select(frame => frame.ToArray()).ToArray();
        changed[part][random.Next(changed[part].Length)] ^= (byte)(1 << random.Next(8));
        Assert.Null(new MessageCodec(new MessageSigner(s_key)).Decode(changed));
        Assert.Null(new MessageCodec(new MessageSigner("other"u8.ToArray())).Decode(frames));
    }

    [Fact]
    public void A_message_is_accepted_once()
    {
        var codec = new MessageCodec(new MessageSigner(s_key));
        var frames = codec.Encode([], "a_request", null, []);
        Assert.NotNull(codec.Decode(frames));
        Assert.Null(codec.Decode(frames));
    }

    [Theory]
    [InlineData("""{"msg_type": "a_request"}""", """{"a": 1, "a": 2}""")]
    [InlineData("""{"msg_type": "a_request", "msg_type": "b_request"}""", "{}")]
    [InlineData("""{"msg_type": 1}""", "{}")]
    [InlineData("[]", "{}")]
    [InlineData("""{"msg_type": "a_request"}""", "{")]
    public void What_is_signed_but_is_no_message_is_refused(string header, string content)
    {
        byte[][] parts = [.. new[] { header, "{}", "{}", content }.Select(Encoding.UTF8.GetBytes)];
        var signature = Encoding.ASCII.GetBytes(new MessageSigner(s_key).Sign(parts));
        Assert.Null(new MessageCodec(new MessageSigner(s_key)).Decode(["<IDS|MSG>"u8.ToArray(), signature, .. parts]));
    }

    [Fact]
    public void With_an_empty_key_nothing_is_signed()
    {
        var codec = new MessageCodec(new MessageSigner([]));
        var frames = codec.Encode([], "a_request", null, []);
        Assert.Empty(frames[1]);
        Assert.NotNull(codec.Decode(frames));
    }
}
