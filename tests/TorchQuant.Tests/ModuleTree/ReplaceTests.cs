using TorchSharp;
using TorchSharp.Modules;
using Xunit;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.ModuleTrees;

public class ReplaceTests
{
    public static TheoryData<string, int> Holders => new()
    {
        { nameof(EveryField), 7 }, { nameof(PrimaryConstructor), 1 }, { nameof(Collections), 9 }, { nameof(TorchCollections), 6 },
        { nameof(Closures), 2 }, { nameof(PlainObjects), 1 },
    };

    private static MTT Make(string holder) => holder switch
    {
        nameof(EveryField) => new EveryField(),
        nameof(PrimaryConstructor) => new PrimaryConstructor(new Same()),
        nameof(Collections) => new Collections(),
        nameof(TorchCollections) => new TorchCollections(),
        nameof(Closures) => new Closures(),
        _ => new PlainObjects(),
    };

    private static Doubling? Double(string path, nn.Module module) => module is Same ? new Doubling() : null;

    [Theory]
    [MemberData(nameof(Holders))]
    public void Every_way_to_hold_a_module_is_replaced_and_computes_with_the_new_one(string holder, int count)
    {
        using var model = Make(holder);
        Assert.Equal(1f, model.call(ones(1)).item<float>());
        var replaced = ModuleTree.Replace(model, Double);
        Assert.Equal(count, replaced.Count);
        Assert.Equal(MathF.Pow(2, count), model.call(ones(1)).item<float>());
        Assert.DoesNotContain(ModuleTree.Walk(model), m => m.Module is Same);
        Assert.Equal(replaced.Select(r => r.Path), ModuleTree.Walk(model).Where(m => m.Module is Doubling).Select(m => m.Path));
    }

    [Theory]
    [MemberData(nameof(Holders))]
    public void Replacing_by_nothing_changes_nothing(string holder, int count)
    {
        using var model = Make(holder);
        Assert.Empty(ModuleTree.Replace(model, (_, _) => null));
        Assert.Equal(count, ModuleTree.Walk(model).Count(m => m.Module is Same));
        Assert.Equal(1f, model.call(ones(1)).item<float>());
    }

    [Fact]
    public void Paths_are_those_of_named_modules()
    {
        using var model = new TorchCollections();
        Assert.Equal(model.named_modules().Select(m => m.name).Order(), ModuleTree.Walk(model).Skip(1).Select(m => m.Path).Order());
        Assert.Contains("_dict.b", ModuleTree.Walk(model).Select(m => m.Path));
        Assert.Contains("_sequential.second.0", ModuleTree.Walk(model).Select(m => m.Path));
    }

    [Fact]
    public void Paths_of_unregistered_modules_are_field_and_index_or_key()
    {
        using var model = new Collections();
        var paths = ModuleTree.Walk(model).Select(m => m.Path).ToList();
        Assert.Equal(["", "_array.0", "_array.1", "_list.0", "_list.1", "_dictionary.a", "_dictionary.b", "_nested.0.0", "_nested.1.0", "_readOnly.0"], paths);
    }

    [Fact]
    public void A_module_in_several_places_is_asked_for_once_and_stays_shared()
    {
        using var model = new Shared();
        var asked = 0;
        ModuleTree.Replace(model, (_, m) =>
        {
            asked++;
            return new Doubling();
        });
        Assert.Equal(1, asked);
        Assert.True(model.IsTied);
        Assert.Equal(8f, model.call(ones(1)).item<float>());
    }

    [Fact]
    public void State_dict_named_modules_training_flag_type_and_Dispose_follow_the_new_modules()
    {
        var model = nn.Sequential(("a", new Same()), ("b", nn.Sequential(("c", new Same()))));
        model.eval();
        var made = ModuleTree.Replace(model, Double).Select(r => (Doubling)r.New).ToList();
        Assert.All(made, m => Assert.False(m.training));
        Assert.Equal(["a._weight", "b.c._weight"], model.state_dict().Keys);
        Assert.Equal(made, model.named_modules().Select(m => m.module).OfType<Doubling>());
        model.train();
        Assert.All(made, m => Assert.True(m.training));
        model.to(ScalarType.Float64);
        Assert.All(made, m => Assert.Equal(ScalarType.Float64, m.parameters().Single().dtype));
        model.Dispose();
        Assert.All(made, m => Assert.True(m.IsDisposed));
    }

    [Fact]
    public void Fields_of_a_model_follow_train_state_dict_and_Dispose_too()
    {
        var model = new EveryField();
        var made = ModuleTree.Replace(model, Double).Select(r => (Doubling)r.New).ToList();
        model.eval();
        Assert.All(made, m => Assert.False(m.training));
        Assert.Equal(7, model.state_dict().Count);
        model.Dispose();
        Assert.All(made, m => Assert.True(m.IsDisposed));
    }

    [Fact]
    public void Hooks_of_a_replaced_module_run_on_its_replacement()
    {
        var first = new Same();
        using var model = nn.Sequential(first, new Same());
        var seen = 0f;
        first.register_forward_hook((_, _, y) =>
        {
            seen = y.item<float>();
            return y.alias();
        });
        ModuleTree.Replace(model, Double);
        Assert.Equal(4f, model.call(ones(1)).item<float>());
        Assert.Equal(2f, seen);
    }

    [Fact]
    public void All_refusals_are_listed_with_path_declaration_and_mend_and_nothing_is_changed()
    {
        using var model = new Stubborn();
        var before = ModuleTree.Walk(model);
        var y = model.call(ones(1, 2));
        var made = new List<Doubling>();
        var e = Assert.Throws<ModuleReplacementException>(() => ModuleTree.Replace(model, (path, m) =>
        {
            if (path == "lstm") throw new ArgumentException("this LSTM is not for replacing");
            if (m is not (Same or Linear)) return null;
            made.Add(new Doubling());
            return made[^1];
        }));
        Assert.Equal(
            [
                "fc: Stubborn.fc is declared Linear and cannot hold Doubling; declare it Module<Tensor, Tensor>",
                "heads.0: Stubborn.heads is declared Linear[] and cannot hold Doubling; declare it Module<Tensor, Tensor>[]",
                "layers.0: layers is declared ModuleList<Linear> and cannot hold Doubling; declare it ModuleList<Module<Tensor, Tensor>>",
                "lstm: this LSTM is not for replacing",
                "pair.Item1: Stubborn.pair holds a Same that sits in a tuple, whose items cannot be exchanged; hold it in a field of its own, so that Doubling can take its place",
                "s_static: Stubborn.s_static holds a Same that is static, so every instance of the model shares it; make it an instance field, so that Doubling can take its place",
                "set.0: Stubborn.set holds a Same that sits in a HashSet<Module<Tensor, Tensor>>; hold it in a list, an array or a dictionary, so that Doubling can take its place",
            ],
            e.Refusals.Order());
        Assert.All(e.Refusals, r => Assert.Contains(r, e.Message));
        Assert.IsType<ArgumentException>(e.InnerException);
        Assert.Equal(7, made.Count);
        Assert.All(made, m => Assert.True(m.IsDisposed));
        Assert.Equal(before, ModuleTree.Walk(model));
        Assert.True(y.equal(model.call(ones(1, 2))).all().item<bool>());
    }

    [Fact]
    public void The_mend_names_the_generic_base_of_the_module()
    {
        using var model = new Stubborn();
        var e = Assert.Throws<ModuleReplacementException>(() => ModuleTree.Replace(model, (_, m) => m is LSTM ? new StandIn() : null));
        Assert.Equal(
            ["lstm: Stubborn.lstm is declared LSTM and cannot hold StandIn; declare it Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>"], e.Refusals);
    }

    [Fact]
    public void A_replacement_with_another_signature_is_refused_where_it_cannot_be_called()
    {
        using var model = nn.Sequential(new Same());
        var e = Assert.Throws<ModuleReplacementException>(() => ModuleTree.Replace(model, (_, m) => m is Same ? new StandIn() : null));
        Assert.Equal(["0: StandIn is no Module<Tensor, Tensor>, as Same is; derive it from that"], e.Refusals);
    }

    [Fact]
    public void A_refused_replacement_that_wraps_a_module_of_the_model_leaves_that_module_alive()
    {
        using var model = new Stubborn();
        Assert.Throws<ModuleReplacementException>(() => ModuleTree.Replace(model, (_, m) => m is Linear l ? nn.Sequential(l) : null));
        Assert.Equal([1L, 2], model.call(ones(1, 2)).shape);
    }

    [Fact]
    public void A_version_of_TorchSharp_that_does_not_fit_is_named_with_the_range_that_does()
    {
        var field = (typeof(nn.Module), "_gone", typeof(object));
        Assert.Contains("TorchSharp 0.108.0 was found", Assert.Throws<NotSupportedException>(() => TorchSharpPrivates.Check(new Version(0, 108, 0), [])).Message);
        var missing = Assert.Throws<NotSupportedException>(() => TorchSharpPrivates.Check(new Version(0, 107, 0), [field])).Message;
        Assert.Contains("supports [0.107.0, 0.108)", missing);
        Assert.Contains("Module._gone", missing);
        TorchSharpPrivates.EnsureSupported();
    }

    private sealed class StandIn() : nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>(nameof(StandIn))
    {
        public override (Tensor, Tensor, Tensor) forward(Tensor x, (Tensor, Tensor)? state) => (x.alias(), x.alias(), x.alias());
    }
}
