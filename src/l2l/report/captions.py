"""The captions of all figures: what is seen and how to read it.

The text of what is seen also stands in workflow/report/<figure>.rst, for `snakemake --report`;
a test keeps the two the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from l2l.config import Config
from l2l.figures import style_images
from l2l.figures.style import display_name
from l2l.report.words import listed


@dataclass(frozen=True)
class Caption:
    """A caption.

    Attributes:
        title: a few words.
        seen: what a stranger sees and how to read it.
        experiments: whose curves are drawn.
        beside: the figure in whose section of the page it stands, of a diagram that has one.
        training: whether the logs of the meta-trainings are drawn.
        measured: whether it shows a measurement of its name, see `l2l.config.measurements`.
        pictures: whether what the experiments' first test problems became is shown, not curves.
    """

    title: str
    seen: str
    experiments: tuple[str, ...] = ()
    beside: str = ""
    training: bool = False
    measured: bool = False
    pictures: bool = False


CAPTIONS = {
    "quadratics": Caption(
        "Quadratics",
        "The loss while random quadratic functions are minimised, step by step; lower is better. "
        "The thick line is the learned optimizer (an LSTM); the others are the usual hand-crafted "
        "ones with tuned learning rates. Lines are means over test problems, shaded bands their "
        "confidence intervals, hair lines single meta-seeds.",
    ),
    "mnist": Caption(
        "MNIST",
        "The loss while small networks learn to read handwritten digits; lower is better. Thick "
        "lines are learned optimizers: LSTMs meta-trained by the paper's recipe, and with longer "
        "unrolls. The others are hand-crafted ones with tuned learning rates. Lines are means over "
        "test networks, shaded bands their confidence intervals, hair lines single meta-seeds.",
    ),
    "mnist_transfer": Caption(
        "MNIST, other networks",
        "The optimizers that were meta-trained on the base network (one hidden layer of 20 sigmoid "
        "units), unchanged, on other networks; lower is better. The hand-crafted optimizers were "
        "tuned anew for each panel. The numbers at the right are the losses at the last step. A "
        "run diverged if it ends more than 5 % above its start or at no finite number; the axis "
        "goes up to where it leads.",
    ),
    "architecture": Caption(
        "MNIST, architecture study",
        "How low the loss is at the end, for networks of different sizes; lower is better. A panel "
        "for each number of hidden layers; to the right, layers get wider. The learned optimizers "
        "are the same throughout, meta-trained on one network only (dotted upright line); the "
        "hand-crafted ones were tuned anew for every network. Points are means over test problems, "
        "shaded bands their confidence intervals, hair lines single meta-seeds.",
    ),
    "cifar": Caption(
        "CIFAR: convolutional networks",
        "The loss on held-out photographs while small convolutional networks learn to classify "
        "others; lower is better. Of these photographs the LSTM saw all ten classes in its "
        "meta-training, LSTM-sub only those that its panel leaves out. Both are two LSTMs that "
        "share the work, one for the convolutional and one for the fully connected parameters; "
        "the shared one does both alone. Batch normalisation uses the statistics of the batch at "
        "hand, in training and for the held-out loss too. The numbers at the right are the losses "
        "at the last step.",
    ),
    "style_curves": Caption(
        "Neural Art: pictures in a given style",
        "Photographs are repainted, step by step, in the style of another picture. The loss is "
        "the function f that is made small: it is low where a picture still shows what the "
        "photograph shows, has the colours and brush strokes of the style, and is smooth. f is "
        "multiplied by the number of pixels over 64², so its numbers are larger at a higher "
        "resolution. Thick lines are learned optimizers: LSTM learned on this task from nothing, "
        "by the paper's recipe; LSTM (long unroll) learned on MNIST only and is used here "
        "unchanged; LSTM (continued) is that one after some more learning on this task. None of "
        "them learned on the new styles or at the higher resolution. The others are hand-crafted,"
        " with learning rates tuned anew for each panel. Lines are means over test photographs, "
        "shaded bands say how far the mean could move with other photographs and styles, hair "
        "lines are single meta-seeds. The numbers at the right are the losses at the last step.",
    ),
    "ablations": Caption(
        "Ablations: what in the recipe matters",
        "A row for each variant of a recipe that differs from it in one thing: the loss that its "
        "optimizer reaches, divided by that of the reference; left of 1 is lower, so better. "
        "Dots are the loss at the last step, diamonds the mean over all steps, lines their 95 % "
        "intervals. An arrow at the edge points to what lies beyond. Second derivatives, "
        "averaging cells and evolution strategies need all coordinates in the backward pass: "
        "what they change shows against “No sampling”. On top short meta-trainings on "
        "quadratics, below them on MNIST. Last, both ways of going on from the optimizer with "
        "the long unroll, which has stopped improving. ADAM, tuned, is there for orientation.",
    ),
    "unroll": Caption(
        "How long to unroll",
        "Meta-gradients are found in windows of some steps. Top: what their length does to the "
        "meta-gradient of an episode, with the weights φ held fixed as the column says. Norm: "
        "its length. Noise: the standard deviation of estimates on different problems, divided "
        "by the length of their expectation; a triangle at the top where it is too much for the "
        "number of repeats to tell the expectation from zero. Bias: how far its direction is "
        "from that of the true one (a single window, second derivatives kept); 0 is the same, 1 "
        "at a right angle. Lines are medians over repeats, bands their range. Bottom: what is "
        "learned with each window from as many inner steps, as the loss divided by that of the "
        "reference's window; lower is better, upright lines are 95 % intervals. Dashed: windows "
        "that grow in the course of meta-training.",
    ),
    "hierarchical": Caption(
        "A hierarchical RNN",
        "The loss of an optimizer in which parameters learn of each other (Wichrowska et al. "
        "2017), beside the LSTM that sees each parameter by itself. Both were meta-trained on the "
        "same mixture of small problems, for as many episodes; ADAM was tuned for each panel. "
        "Lower is better. Lines are means over test problems, shaded bands their confidence "
        "intervals. The numbers at the right are the losses at the last step.",
    ),
    "style_images": Caption(
        "Neural Art: the pictures",
        "A row for each test photograph, which no optimizer has learned on: the photograph, what a "
        "learned optimizer made of it, what ADAM (its learning rate tuned) made of it in as many "
        "steps, and the picture that gives the style. Above: the style and the resolution that the "
        "optimizer learned on. Below: styles that it never met, at a higher resolution. Every "
        "pixel is shown as it is, as a square.",
        experiments=style_images.EXPERIMENTS,
        pictures=True,
    ),
    "mnist_continued": Caption(
        "MNIST, continued",
        "The runs of the figure before, on beyond the steps that the learned optimizers were "
        "meta-trained for. Top: the loss on each step's minibatch. Middle: the same runs on a "
        "fixed sample of images, so that what moves is the network and not the choice of images. "
        "Bottom: one single network, where an oscillation shows that a mean would hide.",
        experiments=("mnist",),
    ),
    "overhead": Caption(
        "The cost of a step",
        "Left: how long one step takes, by the number of parameters that are optimized (its "
        "coordinates). Lines are optimizers, from the fastest to the slowest repeat of each "
        "timing; stars are the gradients of three of the problems, which every optimizer needs "
        "in each step as well. The LSTM is timed with this program's compiled kernels and in "
        "plain PyTorch, the hierarchical RNN in plain PyTorch only. Right, above: the loss on "
        "MNIST, step by step. Below: the same runs against the time of their gradients and steps, "
        "one network at a time. The hand-crafted optimizers end earlier there, because their "
        "steps take less time.",
        measured=True,
    ),
    "updates": Caption(
        "Proposed updates",
        "What an optimizer would do with a parameter if its gradient were another. Across: the "
        "gradient, on a scale that is logarithmic on both sides of zero. Upward: the update "
        "that is proposed. A panel shows one step of a run; in it, each line is one parameter, "
        "with the memory of the gradients before that it has by then; a point is where its "
        "gradient really was. In the first step nothing is remembered yet, so the lines lie on "
        "each other; later ones differ by what each parameter has been through. The learned "
        "optimizers stand beside ADAM with its tuned learning rate, each on its own run.",
        measured=True,
    ),
    "meta_training": Caption(
        "Meta-training",
        "How the optimizers were learned: the loss of the learned optimizer on validation "
        "problems, against the number of meta-training episodes so far. Solid: loss at the end of "
        "a validation run; dashed: mean loss along it; markers tell the meta-seeds apart. A dotted "
        "upright line marks where the training windows get longer.",
        training=True,
    ),
    "optimizer_loop": Caption(
        "Optimizer and problem",
        "The idea. The problem is a function f with parameters θ; it hands its gradient to the "
        "optimizer, which hands back an update of θ. Here the optimizer is itself a neural network "
        "with a memory h and weights φ, and φ is learned.",
    ),
    "computation_graph": Caption(
        "How the optimizer is trained",
        "Three steps of optimization as one graph. Gradients of the losses flow back along the "
        "solid arrows into the optimizer's weights. Along the dashed arrows (how θ changes the "
        "gradient) they are dropped, which saves second derivatives.",
    ),
    "coordinatewise_lstm": Caption(
        "One small LSTM for all coordinates",
        "Each coordinate of θ has its own gradient and its own state h, but all share the same "
        "weights φ: so one small set of weights serves any number of parameters.",
    ),
    "hierarchical_diagram": Caption(
        "Networks above networks: the hierarchical RNN",
        "The hierarchical RNN of Wichrowska et al. (2017), an optimizer in which parameters "
        "know of each other. Each coordinate of θ has a small network of its own. Means of their "
        "memories go up to a network for each tensor, for example for the weights of a layer, "
        "and from these to one for everything. What those know comes down as biases; from the "
        "global one to the bottom too, which is not drawn. On each level all networks share "
        "their weights.",
        beside="hierarchical",
    ),
}
"""Figure -> caption, of the figures that come with the project."""

OF_ANY_EXPERIMENT = (
    "The loss while test problems are minimised, step by step; lower is better. Thick lines are "
    "learned optimizers; the others are hand-crafted ones with tuned learning rates. Lines are "
    "means over test problems, shaded bands their confidence intervals, hair lines single "
    "meta-seeds. A run diverged if it ends more than 5 % above its start or at no finite "
    "number."
)
"""What is seen in a figure that only a user's configuration knows."""


def caption(name: str, config: Config) -> Caption:
    """The caption of a figure, of one that only a configuration knows too.

    Args:
        name: of the figure.
        config: its experiments say which figure they are panels of.
    """
    experiments = tuple(config.figure_experiments().get(name, ()))
    if name in CAPTIONS:
        known = CAPTIONS[name]
        if known.pictures:
            experiments = tuple(style_images.experiments(config))
        return replace(known, experiments=experiments or known.experiments)
    title = name.replace("_", " ").capitalize()
    if len(experiments) == 1:
        title = config.experiments[experiments[0]].title
    return Caption(title, OF_ANY_EXPERIMENT, experiments)


def alternative(name: str, config: Config) -> str:
    """The figure in a line, for those who cannot see it."""
    shown = caption(name, config)
    if not shown.experiments:
        return f"Figure: {shown.title}"
    settings = [config.experiments[experiment] for experiment in shown.experiments]
    titles = [entry.title for entry in settings]
    if shown.pictures:
        who = [display_name(key, config.labels()) for key in style_images.OPTIMIZERS]
        return (
            f"Figure: {shown.title}: photographs, what {listed(who)} made of them, and styles; "
            f"{listed(titles)}"
        )
    keys = [key for entry in settings for key in (*entry.learned, *entry.baselines)]
    names = list(dict.fromkeys(display_name(key, config.labels()) for key in keys))
    panels = f" on {listed(titles)}" if len(titles) > 1 else ""
    study = any(len(entry.problems) > 1 for entry in settings)
    what = "final loss against hidden units" if study else "loss against step"
    return f"Figure: {shown.title}: {what} of {listed(names)}{panels}"
