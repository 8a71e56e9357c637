//! The flags that say how pictures are read, shared by every command that takes DATA.

use clap::Args;

use super::config::DataSection;
use super::values::Size;
use crate::data::{AlphaRule, Format, MaskPolarity, MaskThreshold, UnknownPixels};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Pictures")]
pub struct PictureFlags {
    /// How the files are laid out [default: what fits]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Resize every picture: 64, or HEIGHTxWIDTH such as 48x64
    #[arg(long, value_name = "SIZE")]
    pub size: Option<Size>,
    /// 1 for grey, 3 for colour [default: grey if every picture is grey]
    #[arg(long, value_name = "N")]
    pub channels: Option<usize>,
    /// Which pixels of a mask, or which side of a shape, are the relevant ones [default: white]
    #[arg(long, value_enum)]
    pub mask_polarity: Option<MaskPolarity>,
    /// The value above which a mask is white, from 0 to 254, or `soft` to keep its greys [default: 127]
    #[arg(long, value_name = "VALUE")]
    pub mask_threshold: Option<MaskThreshold>,
    /// Unclassified pixels of a trimap: relevant or not [default: keep]
    #[arg(long, value_enum)]
    pub unknown_pixels: Option<UnknownPixels>,
    /// What the alpha channel of a picture without a mask means [default: mask]
    #[arg(long, value_enum)]
    pub alpha: Option<AlphaRule>,
    /// Class of a COCO picture: its `largest` category, its `single` one, or a category's name against all else
    /// [default: largest]
    #[arg(long, value_name = "RULE")]
    pub coco_label: Option<String>,
    /// Radius of labelme's points, and half the width of its lines, in pixels [default: 5]
    #[arg(long, value_name = "PIXELS", allow_negative_numbers = true)]
    pub line_radius: Option<f64>,
    /// Lists may name files outside of the data's folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Go on without files that cannot be read, with a warning
    #[arg(long)]
    pub skip_unreadable: bool,
    /// Share of the pictures split off for validation where the data have no such part [default: 0.15]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub val_share: Option<f64>,
    /// Share split off for the test where the data have no such part [default: 0.15]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub test_share: Option<f64>,
}

impl PictureFlags {
    /// Writes the flags over a config's section.
    pub fn apply(&self, data: &mut DataSection) {
        fn set<T: Clone>(place: &mut T, flag: &Option<T>) {
            if let Some(value) = flag {
                place.clone_from(value);
            }
        }
        data.format = self.format.or(data.format);
        data.size = self.size.or(data.size);
        data.channels = self.channels.or(data.channels);
        set(&mut data.mask_polarity, &self.mask_polarity);
        set(&mut data.mask_threshold, &self.mask_threshold);
        set(&mut data.unknown_pixels, &self.unknown_pixels);
        set(&mut data.alpha, &self.alpha);
        set(&mut data.coco_label, &self.coco_label);
        set(&mut data.line_radius, &self.line_radius);
        data.allow_outside |= self.allow_outside;
        data.skip_unreadable |= self.skip_unreadable;
        set(&mut data.val_share, &self.val_share);
        set(&mut data.test_share, &self.test_share);
    }

    /// The flags given.
    pub fn given(&self) -> Vec<&'static str> {
        [
            (self.format.is_some(), "--format"),
            (self.size.is_some(), "--size"),
            (self.channels.is_some(), "--channels"),
            (self.mask_polarity.is_some(), "--mask-polarity"),
            (self.mask_threshold.is_some(), "--mask-threshold"),
            (self.unknown_pixels.is_some(), "--unknown-pixels"),
            (self.alpha.is_some(), "--alpha"),
            (self.coco_label.is_some(), "--coco-label"),
            (self.line_radius.is_some(), "--line-radius"),
            (self.allow_outside, "--allow-outside"),
            (self.skip_unreadable, "--skip-unreadable"),
            (self.val_share.is_some(), "--val-share"),
            (self.test_share.is_some(), "--test-share"),
        ]
        .into_iter()
        .filter_map(|(given, flag)| given.then_some(flag))
        .collect()
    }
}
