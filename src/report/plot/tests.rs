use super::*;

fn dots(values: &[f64]) -> Plot {
    Plot::Dots {
        name: "dots".into(),
        caption: "a < b & \"c\"".into(),
        axis: "accuracy".into(),
        rows: vec![DotRow {
            name: "η₂ / η₁ × ±".into(),
            values: values.to_vec(),
            mean: 0.5,
            error: None,
            earlier: Some(0.4),
            paper: None,
        }],
        reference: Some(0.5),
    }
}

/// Pixels darker than paper and guide lines.
fn ink(image: &image::RgbImage) -> usize {
    image.pixels().filter(|pixel| pixel.0.iter().all(|&value| value < 128)).count()
}

#[test]
fn a_plot_is_well_formed_at_every_width_and_says_what_it_shows() {
    for width in [WIDE, NARROW] {
        let svg = dots(&[0.4, 0.6]).svg(width).unwrap();
        assert!(svg.starts_with("<svg role=\"img\" aria-label=\"a &lt; b &amp; &quot;c&quot;\""), "{svg}");
        assert!(svg.contains(&format!("width=\"{width}\"")) && svg.contains("viewBox"), "{svg}");
        // Text is text.
        assert!(svg.contains("accuracy") && svg.contains("<text"), "{svg}");
    }
}

#[test]
fn a_bitmap_shows_its_text_without_fonts_on_the_system() {
    // Two names of one length, so that nothing else in the picture moves.
    let named = |name: &str| {
        let mut plot = dots(&[0.4]);
        if let Plot::Dots { rows, .. } = &mut plot {
            rows[0].name = name.to_owned();
        }
        ink(&plot.bitmap(WIDE).unwrap())
    };
    assert!(named("MMMMMMMM") > named("........") + 100);
}

#[test]
fn numbers_that_are_none_and_empty_lists_do_not_stop_a_plot() {
    assert!(dots(&[f64::NAN]).svg(WIDE).is_ok() && dots(&[]).bitmap(NARROW).is_ok());
    let lines = |points| Plot::Lines {
        name: "lines".into(),
        caption: String::new(),
        x: "x".into(),
        y: "y".into(),
        scale: Scale::Log,
        ticks: Vec::new(),
        lines: vec![Line { name: "a".into(), points }],
    };
    for points in [vec![], vec![(0.0, 0.5, None)], vec![(0.1, 0.5, Some(0.1)), (10.0, f64::NAN, None)]] {
        assert!(lines(points).svg(WIDE).is_ok());
    }
}
