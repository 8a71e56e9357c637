use image::{Rgb, RgbImage};

use super::*;
use crate::data::{Dataset, Groups, Pixels};

/// Two classes with names that HTML has other uses for, in two groups.
fn data() -> Dataset {
    Dataset {
        height: 1,
        width: 1,
        channels: 1,
        classes: vec!["a <b> & \"c\"".into(), "</td>".into()],
        pixels: Pixels::Byte(vec![0; 4]),
        labels: vec![0, 0, 1, 1],
        masks: vec![255; 4],
        explained: vec![true; 4],
        names: vec!["p".into(); 4],
        groups: Groups { names: vec!["<in>".into(), "out".into()], of: vec![0, 1, 1, 0] },
    }
}

fn planted() -> RunPage {
    let data = data();
    let rows = [[0.75, 0.25], [0.375, 0.625], [0.25, 0.75], [0.125, 0.875]].map(Vec::from);
    let card = Card {
        truth: data.classes[0].clone(),
        predicted: Some((data.classes[1].clone(), 0.625)),
        name: "<img src=\"x\">".into(),
        parts: vec![Part {
            caption: "f(x′)".into(),
            note: "12 % inside".into(),
            image: RgbImage::from_pixel(3, 2, Rgb([9, 8, 7])),
        }],
    };
    let state = |name: &str| State {
        name: name.into(),
        meaning: "<m>".into(),
        words: "Once it was".into(),
        accuracy: 0.75,
        input_gradient_mass: Some(0.5),
    };
    let row = |epoch| EpochRow {
        epoch,
        label_loss: 0.5 / epoch as f64,
        alignment_loss: Some(0.25),
        train_accuracy: 0.5,
        val_accuracy: Some(0.625),
        ..EpochRow::default()
    };
    RunPage {
        title: "birds & <bees>: two-stage".into(),
        facts: vec![("data".into(), "/tmp/<x>".into())],
        second_loss: Some(["alignment loss".into(), "KL.".into()]),
        explained: true,
        record: RunRecord {
            status: "stopped".into(),
            epochs: 2,
            warnings: vec!["mask <7> is empty".into()],
            digest: "0123456789abcdef".into(),
            commands: vec!["rationale train 'a b'".into()],
            ..RunRecord::default()
        },
        rows: vec![row(1), row(2)],
        config: "[data]\npath = \"<x>\"\n".into(),
        judged_on: "4 test pictures".into(),
        class_counts: data.class_counts(),
        explained_on: "4 explained pictures".into(),
        mask_area: Some(0.125),
        measures: Measures::new(&data, &rows),
        input_gradient_mass: Some(0.5),
        flip_rate: Some(0.25),
        states: vec![state("after epoch 1"), state("after epoch 2")],
        compared: vec![Card { predicted: None, ..card.clone() }],
        wrong: vec![card],
        unsure: Vec::new(),
        reproduce: vec!["rationale train --config <c>".into()],
    }
}

/// Every element that is opened is closed, in turn.
fn assert_nested(page: &str) {
    let void = ["meta", "img", "br", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        // A `>` within quotes belongs to the attribute.
        let mut quoted = false;
        let end = rest.find(|c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &rest[..end.unwrap()];
        rest = &rest[end.unwrap() + 1..];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "open are {open:?}");
        } else if !tag.ends_with('/') && !void.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_page_holds_every_figure_and_is_sound() {
    let page = page(&planted()).unwrap();
    for (id, value) in [
        ("accuracy", "0.750"),
        ("balanced-accuracy", "0.750"),
        ("worst-class", "0.500"),
        ("worst-group", "0.500"),
        ("input-gradient-mass", "0.500"),
        ("flip-rate", "0.250"),
    ] {
        assert!(page.contains(&format!("id=\"{id}\">{value}</dd>")), "{id}");
    }
    for words in [
        "<b>75.0\u{a0}%</b> of the 4 test pictures",
        "most frequent class would give 50.0\u{a0}%. Of the input gradient",
        "cover 12.5\u{a0}% of a picture. Once it was 50.0\u{a0}%.",
        "stopped after epoch 2",
        "<b>1 warning</b>\n<ul>\n<li>mask &lt;7&gt; is empty</li>",
        "predicted <b>&lt;/td&gt;</b> with 62.5 %",
        "Expected calibration error: 0.312.",
        "rationale train --config &lt;c&gt;",
        "rationale train 'a b'",
        "0123456789abcdef",
        "<p>There is none.</p>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("No picture is predicted wrong."));
    assert_nested(&page);
    // What a name could break out of.
    for raw in ["a <b> &", "<in>", "<bees>", "<img src=\"x\">", "<m>"] {
        assert!(!page.contains(raw), "{raw}");
    }
    for outside in ["http:", "https:", "<script", "<link", "url("] {
        // The namespace of SVG is a name, no address.
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<img ").count(), page.matches("<img src=\"data:image/png;base64,").count());
    assert_eq!(page.matches("href=").count(), page.matches("href=\"#").count());
}

#[test]
fn a_run_without_masks_epochs_or_probabilities_has_a_page_too() {
    let data = Dataset { explained: vec![false; 4], groups: Groups::default(), ..data() };
    let run = RunPage {
        rows: Vec::new(),
        measures: Measures::new(&data, &vec![vec![f64::NAN; 2]; 4]),
        input_gradient_mass: None,
        mask_area: None,
        flip_rate: None,
        states: Vec::new(),
        compared: Vec::new(),
        wrong: Vec::new(),
        ..planted()
    };
    let page = page(&run).unwrap();
    assert_nested(&page);
    assert!(page.contains("No epoch is done yet.") && !page.contains("id=\"confidence\""));
    let names: Vec<String> = plots(&run).iter().map(|plot| plot.name().to_owned()).collect();
    assert_eq!(names, ["confusion"]);
}

#[test]
fn every_plot_is_drawn_both_ways_at_every_width() {
    let run = planted();
    let all = plots(&run);
    let names: Vec<&str> = all.iter().map(|plot| plot.name()).collect();
    assert_eq!(names, ["accuracy", "label-loss", "alignment-loss", "confusion", "reliability"]);
    for plot in &all {
        for width in [crate::report::plot::WIDE, crate::report::plot::NARROW] {
            assert_nested(&plot.svg(width).unwrap());
            assert!(plot.bitmap(width).unwrap().pixels().any(|pixel| pixel.0[0] < 128), "{}", plot.name());
        }
    }
}

#[test]
fn the_most_wrong_and_the_most_unsure_are_those_meant() {
    let rows: Vec<Vec<f64>> =
        [[0.9, 0.1], [0.4, 0.6], [0.49, 0.51], [0.2, 0.8], [f64::NAN, f64::NAN]].map(Vec::from).to_vec();
    let labels = [1, 0, 0, 1, 0];
    assert_eq!(most_wrong(&rows, &labels, 9), [0, 1, 2]);
    assert_eq!(most_wrong(&rows, &labels, 1), [0]);
    assert_eq!(most_unsure(&rows, &[2], 2), [1, 3]);
    assert_eq!(most_unsure(&[vec![1.0]], &[], 3), [0usize; 0]);
}
