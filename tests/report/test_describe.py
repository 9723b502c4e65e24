"""Problems and recipes in words say what the configuration says."""

import math
from types import SimpleNamespace

from l2l.config import Config, load_config
from l2l.report import describe, describe_recipe


def test_the_number_of_weights_is_that_of_torch(config: Config):
    import torch

    modules = [torch.nn.LSTM(2, 20, 2), torch.nn.Linear(20, 1)]
    expected = sum(p.numel() for module in modules for p in module.parameters())
    rows = _rows("mnist_paper", config)
    assert f"2 LSTM layers of 20 units and a linear output: {expected:,} weights" in rows["network"]


def _rows(recipe: str, config: Config) -> dict[str, str]:
    found = describe_recipe.recipe(recipe, config, 0.004)
    return {row["setting"]: str(row["value"]) for row in found}


def test_every_recipe_says_how_its_meta_gradient_is_found_and_what_it_is():
    config = load_config()
    assert "second derivatives kept" in _rows("mnist_second", config)["meta-gradient"]
    assert "4 antithetic pairs of φ" in _rows("quadratics_es", config)["meta-gradient"]
    assert "5 cells of each layer" in _rows("mnist_averaging", config)["network"]
    assert "the gradient times 100" in _rows("mnist_rescaled", config)["input"]
    assert "2 memoryless tanh layers" in _rows("mnist_memoryless", config)["network"]
    assert "one of 20 for all" in _rows("hierarchical", config)["network"]
    assert "(mnist)" in _rows("hierarchical", config)["validation"]


def test_recipes_are_described_from_the_configuration(config: Config):
    rows = {
        r["setting"]: str(r["value"]) for r in describe_recipe.recipe("mnist_paper", config, 0.004)
    }
    assert "20 steps throughout" in rows["windows"]
    assert "Adam with 0.004" in rows["meta learning rate"]
    grown = {
        r["setting"]: str(r["value"])
        for r in describe_recipe.recipe("mnist_long_unroll", config, 0.004)
    }
    assert "100 steps from episode 250" in grown["windows"]
    assert "n = 15,910 parameters" in describe.problem(config.problems["mnist"])[0]


def test_a_convolutional_network_is_described_with_its_real_number_of_parameters(config: Config):
    import torch

    from l2l.problems.convnet import ColourImages, ConvNetFamily

    settings = config.problems["cifar5"]
    images = ColourImages(
        torch.zeros(2, 32, 32, 3, dtype=torch.uint8), torch.zeros(2, dtype=torch.int64)
    )
    shapes = ConvNetFamily(settings, 0, images, images, images).shapes
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    convolutional = sum(size for name, size in sizes.items() if name.startswith("conv"))
    text, _ = describe.problem(settings)
    assert f"n = {sum(sizes.values()):,} parameters θ, {convolutional:,} of them" in text
    assert "(airplane, automobile, bird, cat and deer)" in text


def test_parameter_groups_are_described(config: Config):
    rows = {r["setting"]: str(r["value"]) for r in describe_recipe.recipe("cifar", config, 0.004)}
    assert "2 such LSTMs: the convolutional LSTM serves conv*" in rows["network"]
    assert "1 independent meta-training<" in rows["meta-seeds"]
    shared = {
        r["setting"]: str(r["value"]) for r in describe_recipe.recipe("cifar_shared", config, 0.004)
    }
    assert "shared by all coordinates" in shared["network"]


def test_neural_art_is_described_as_it_is_computed(config: Config):
    from l2l.problems import neural_art

    assert describe.CONTENT_LAYER == neural_art.CONTENT_LAYER
    assert describe.STYLE_LAYERS == neural_art.STYLE_LAYERS
    small, large = (config.problems[name] for name in ("neural_art", "neural_art_new"))
    texts = [describe.problem(settings) for settings in (small, large)]
    assert texts[0][1] == texts[1][1], "one equation for both"
    for settings, (own, _) in zip((small, large), texts, strict=True):
        assert f"= {3 * settings.size**2:,} numbers" in own
        scale = settings.size**2 / neural_art.REFERENCE_PIXELS
        assert f"factor s of f is {scale:g}." in own
        for style in settings.styles:
            assert style in own
    changed = small.model_copy(
        update={"content_weight": 0.25, "style_weight": 7.5, "variation_weight": 11.0}
    )
    told = describe.problem(changed)[1]
    for term in ("0.25 L<sub>content", "7.5 L<sub>style", "11 L<sub>variation"):
        assert term in told


def test_a_kind_that_has_no_words_yet_is_named():
    function, drawn = describe.problem(SimpleNamespace(kind="rosenbrock"))
    assert "rosenbrock" in function
    assert drawn
