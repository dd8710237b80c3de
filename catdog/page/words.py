"""Every word on the page, by code, in English and Chinese.

The server answers in codes; the browser puts them into words (words.js), in the visitor's language, so that a change of
language needs no request. Each tab has its group here; a code is "group.name". A new word is a line below, used as

    words.label("photo.tab")                    the label of a Gradio component
    words.tagged("page.privacy", "p")           an element of our own HTML; `{names}` in braces are filled from keywords
    catdog.say("photo.spot", {cat, dog})        in JavaScript; `catdog-language` is the event when the language changes
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from catdog.measuring.model_card import WEAKNESSES

LANGUAGES = ("en", "zh")  # the order of every pair below
TITLE = "catdog"

PAGE = {
    "title": (f"{TITLE}: a cat, a dog, both or neither?", f"{TITLE}：有猫、有狗、都有，还是都没有？"),
    "introduction": (
        "Drop in a photo: is there a cat, a dog, both or neither, and where?",
        "放一张照片进来：里面有猫、有狗、都有，还是都没有？各在哪里？",
    ),
    "privacy": (
        "Photos are classified on this server, kept for at most an hour and then deleted; none is passed on.",
        "照片在这台服务器上识别，最多保留一小时，之后删除；不会转给任何人。",
    ),
    "other-language": ("中文", "English"),
    "busy": (
        "Too many visitors are waiting just now. Please try again in a moment.",
        "现在排队的人太多了，请过一会儿再试。",
    ),
    "queue": ("Place {place} of {waiting} in the queue |", "排队中：第 {place} 位，共 {waiting} 位 |"),
    "processing": ("Looking at it |", "正在识别 |"),
}

GRADIO = {  # in the place of its own words, where it has English ones alone
    "error": ("Error", "出错了"),
    "no-image": ("This is not a picture: {names}.", "这不是图片：{names}。"),
    "too-large": ("Larger than {megabytes} MB: {names}.", "超过了 {megabytes} MB：{names}。"),
    "not-sent": ("The file could not be sent. Please try again.", "文件没有发出去，请再试一次。"),
    "lost": (
        "The connection to the server is lost. The page loads again as soon as the server answers.",
        "与服务器的连接断了。服务器一有回应，页面就会重新加载。",
    ),
    "camera": ("Click to Access Webcam", "点击打开摄像头"),
    "fullscreen": ("Fullscreen", "全屏"),
    "no-fullscreen": ("Exit fullscreen mode", "退出全屏"),
    "remove": ("Remove Image", "移除照片"),
    "upload": ("Upload file", "上传文件"),
    "capture": ("Capture from camera", "用摄像头拍照"),
    "paste": ("Paste from clipboard", "从剪贴板粘贴"),
    "take": ("capture photo", "拍照"),
    "cameras": ("select input source", "选择摄像头"),
    "more-tabs": ("More tabs", "更多标签页"),
    "close": ("Close", "关闭"),
    "complete": ("Done", "完成"),
}

PHOTO = {
    "tab": ("Photo", "照片"),
    "picture": ("Your photo", "你的照片"),
    "placeholder": ("Drop a photo here\n- or -\nclick to choose one", "把照片拖到这里\n- 或 -\n点击选择一张"),
    "limits": (
        "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC, up to {megabytes} MB and {megapixels} megapixels.",
        "JPEG、PNG、WebP、GIF、BMP、TIFF、AVIF 或 HEIC，不超过 {megabytes} MB、{megapixels} 百万像素。",
    ),
    "example": ("Example photo {number}", "示例照片 {number}"),
    "examples": ("Or try one of these", "或者试试这些"),
    "credit": (
        "Their authors and licenses are listed in examples/README.md.",
        "它们的作者和许可证列在 examples/README.md 里。",
    ),
    "waiting": ("The answer appears here by itself.", "结果会自动显示在这里。"),
    "announce": ("{verdict}. Cat: {cat}. Dog: {dog}.", "{verdict}。猫：{cat}。狗：{dog}。"),
    "why-both": ("Both probabilities reach {percent}%.", "两个概率都达到了 {percent}%。"),
    "why-neither": ("Neither probability reaches {percent}%.", "两个概率都没有达到 {percent}%。"),
    "choice": ("Evidence shown", "显示哪种证据"),
    "choice-both": ("Both", "猫和狗"),
    "choice-difference": ("Difference", "差值"),
    "choice-photo": ("Photo alone", "只看照片"),
    "opacity": ("Opacity", "不透明度"),
    "colors": ("Colors", "颜色"),
    "pair": ("Cat {cat}, dog {dog}", "猫{cat}，狗{dog}"),
    "boxes": ("Boxes", "方框"),
    "finer": ("Finer map", "更细的图"),
    "finer-note": (
        "The finer map comes from a second look at twice the size; the answer stays that of the first.",
        "更细的图来自放大一倍再看一次；结论仍以第一次为准。",
    ),
    "unit": (
        "logits, if the whole photo looked like this place",
        "单位 logit：假如整张照片都像这个位置",
    ),
    "unit-difference": (
        "logits by which this place speaks more for the one than for the other, if the whole photo looked like it",
        "单位 logit：假如整张照片都像这个位置，它对一方的支持比另一方多多少",
    ),
    "spot-none": (
        "Point at the photo, or use the arrow keys on it, to read the evidence of a spot.",
        "把指针放到照片上，或选中照片后按方向键，就能看到那一处的证据。",
    ),
    "spot": (
        "This spot speaks {cat} a cat ({catValue}) and {dog} a dog ({dogValue}).",
        "这个位置{cat}猫（{catValue}），{dog}狗（{dogValue}）。",
    ),
    "spot-unseen": ("The network did not see this spot.", "网络没有看到这个位置。"),
    "unseen": ("The gray part was not shown to the network.", "灰色的部分没有给网络看。"),
    "download-picture": ("Save picture", "保存图片"),
    "download-answer": ("Save answer (JSON)", "保存结果（JSON）"),
    "how-to-read": ("How to read this", "怎么看这张图"),
    "how-to-read-text": (
        "The two bars are independent: both can be high, and both low. "
        "Color shows what the network's last layer found in each place: {cat} speaks for a cat, {dog} for a dog. "
        "The same color means the same amount in every photo, so a photo with nothing in it stays plain.",
        "两根概率条互不相干：可以都高，也可以都低。颜色表示网络的最后一层在每个位置看到了什么：{cat}支持猫，{dog}支持狗。"
        "同样的颜色在每张照片里都表示同样的分量，所以什么都没有的照片上不会有颜色。",
    ),
    "made-negatives": (
        "This network was trained without photos of other things, so “neither” is worth little: it learned it from "
        "made-up pictures only.",
        "这个网络训练时没有见过其他东西的照片，“都没有”只是从合成图片里学来的，所以不大可信。",
    ),
    "softmax": (
        "This network chooses between cat and dog: it has no word for both or neither.",
        "这个网络只会在猫和狗之间二选一，说不出“都有”或“都没有”。",
    ),
}

LOOK = {
    "fold": ("Look inside", "看看内部"),
    "nothing": ("Choose a photo first.", "请先选一张照片。"),
    "busy": ("Looking…", "正在计算……"),
    "stages": ("What each stage looks at", "每个阶段在看什么"),
    "stages-text": (
        "LayerCAM (Jiang et al. 2021) of the four residual stages: early ones look at small details, later ones at larger "
        "parts. Each map is stretched to its own maximum: it says where, not how much.",
        "四个残差阶段的 LayerCAM（Jiang et al. 2021）：前面的阶段看小的细节，后面的阶段看更大的部分。"
        "每张图都按自身最大值拉伸：只说明在哪里，不说明有多少。",
    ),
    "label": ("Label", "标签"),
    "stage-choice": ("Stage", "阶段"),
    "stage": ("Stage {stage}", "阶段 {stage}"),
    "stage-alt": (
        "The photo with what stage {stage} looks at for the label {label}, by {method}.",
        "照片，标出阶段 {stage} 为标签“{label}”所看的位置，方法是 {method}。",
    ),
    "took": ("It took {seconds} s.", "用时 {seconds} 秒。"),
    "methods": ("Other methods", "其他方法"),
    "method": ("Method", "方法"),
    "slow": ("{method} (slow)", "{method}（较慢）"),
    "start": ("Show", "显示"),
    "stop": ("Stop", "停止"),
    "progress": ("Progress", "进度"),
    "stopped": ("Stopped.", "已停止。"),
    "outcome": (
        "{method}, stage {stage}, {label}: {seconds} s. Stretched to its own maximum.",
        "{method}，阶段 {stage}，{label}：{seconds} 秒。按自身最大值拉伸。",
    ),
    "block": ("A residual block at work", "残差块如何工作"),
    "block-text": (
        "A residual block does not replace its input x. It computes a change F(x) with two or three convolutions and "
        "adds it, so that a block that has nothing to say can leave x as it is, and deep networks can still be trained "
        "(He et al. 2016). Below is one channel of the stage's last block, on this photo; the ReLU then sets what is "
        "negative to zero.",
        "残差块不是把输入 x 换掉，而是用两三个卷积算出一个改变量 F(x)，再加到 x 上。没什么可改的块让 x 原样通过就行，"
        "很深的网络因此也能训练（He et al. 2016）。下面是这张照片在该阶段最后一个块里的一个通道；之后 ReLU 把负值变成零。",
    ),
    "block-input": ("input", "输入"),
    "block-residual": ("what the block adds", "块加上的部分"),
    "block-sum": ("their sum", "两者之和"),
    "block-alt": ("A feature map of stage {stage}: {part}.", "阶段 {stage} 的特征图：{part}。"),
    "channel": (
        "Channel {channel} of {channels}, where input and change are strongest together; all three on one scale, violet "
        "is negative.",
        "{channels} 个通道中的第 {channel} 个，输入和改变量合起来最强；三张图用同一刻度，紫色为负。",
    ),
}

LIVE = {
    "tab": ("Live", "实时"),
    "waiting": ("Show the camera a cat or a dog.", "让摄像头看看猫或狗。"),
    "start": ("Start the camera", "打开摄像头"),
    "stop": ("Stop", "停止"),
    "turn": ("Other camera", "换摄像头"),
    "mirror": ("Mirrored", "镜像"),
    "pace": (
        "Answers a second: {frames}. Delay: {milliseconds} ms.",
        "每秒回答 {frames} 次，延迟 {milliseconds} 毫秒。",
    ),
    "lost": ("The server does not answer; trying again.", "服务器没有回应，正在重试。"),
    "privacy": (
        "Frames are answered in memory and never stored. The camera stops when you look away from this tab.",
        "画面只在内存里处理，从不保存。离开这个标签页时摄像头会自动停止。",
    ),
}
MANY = {
    "tab": ("Many photos", "多张照片"),
    "files": ("Photos or a zip of photos", "照片或照片的 zip 压缩包"),
    "drop": ("Drop photos here\n- or -\nclick to choose them", "把照片拖到这里\n- 或 -\n点击选择"),
    "folder": ("Choose a folder", "选择文件夹"),
    "stop": ("Stop", "停止"),
    "limits": (
        "Up to {photos} photos at once; each file up to {megabytes} MB and {megapixels} megapixels.",
        "一次最多 {photos} 张；每个文件不超过 {megabytes} MB、{megapixels} 百万像素。",
    ),
    "waiting": ("The answers appear here by themselves.", "结果会自动显示在这里。"),
    "progress": ("{done} of {total} photos", "{total} 张中的第 {done} 张"),
    "done": ("Photos: {photos}. A click opens one in the photo tab.", "共 {photos} 张。点击可在照片页打开。"),
    "stopped": ("Stopped after {photos} photos.", "已停止，完成了 {photos} 张。"),
    "none": ("There is no photo in it.", "里面没有照片。"),
    "too-many": (
        "These are more than {photos} photos. Hand over fewer at a time.",
        "照片超过了 {photos} 张，请分几次来。",
    ),
    "show": ("Show", "显示"),
    "order": ("Order", "排序"),
    "doubtful": ("only in doubt (20% to 80%)", "只看拿不准的（20% 到 80%）"),
    "download": ("Download CSV", "下载 CSV"),
    "no-match": ("No photo is like that.", "没有这样的照片。"),
    "gone": (
        "This photo has been deleted from the server by now. Hand it over again.",
        "服务器上的这张照片已经删除，请重新上传。",
    ),
}
GOOD = {
    "tab": ("How good is it", "有多准"),
    "none": ("This checkpoint was not measured on held-out photos.", "这个模型没有在留出的照片上测过。"),
    "headline": ("Right on {percent}% of {n} held-out photos", "在留出的 {n} 张照片上，{percent}% 判断正确"),
    "held-out": (
        "These photos were not used for training or tuning. All figures are from the checkpoint itself.",
        "这些照片没有参与训练，也没有参与任何选择。所有数字都来自模型文件本身。",
    ),
    "higher": ("How often it is right", "多常判断对"),
    "lower": ("How often it goes wrong", "多常判断错"),
    "interval": (
        "The dot is what was measured, the bar its 95% interval (Wilson): few photos make it long.",
        "圆点是测得的数值，横条是 95% 区间（Wilson）：照片越少，横条越长。",
    ),
    "of": ("{k} of {n}", "{n} 中的 {k}"),
    "few": ("few photos", "照片很少"),
    "loss": (
        "Two-way log loss {loss} (95% interval {low} to {high}, {n} pets); a coin has 0.693.",
        "二选一的对数损失 {loss}（95% 区间 {low} 到 {high}，{n} 张宠物照片）；抛硬币是 0.693。",
    ),
    "auroc": ("Pets against negatives: area under the ROC curve {area}.", "宠物与其他照片：ROC 曲线下面积 {area}。"),
    "reliability-cat": (
        "Cat: the probability it gave (left to right) and the share of such photos that show one (upwards), with 95% "
        "intervals. On the dashed line it means what it says.",
        "猫：给出的概率（横向）与这些照片中真有猫的比例（纵向），带 95% 区间。落在虚线上，概率就名副其实。",
    ),
    "reliability-dog": (
        "Dog: the same. Most photos are in the two corners, so the points between them stand for few.",
        "狗：同上。大多数照片在两个角上，中间的点只代表很少的照片。",
    ),
    "roc": (
        "Pets found (upwards) against other photos taken for pets (left to right), for every threshold: the ROC curve.",
        "每个阈值下，认出的宠物（纵向）与被错当成宠物的其他照片（横向）：ROC 曲线。",
    ),
    "confusion": ("What photos of each kind were called", "每类照片被判成什么"),
    "shows-called": ("shows ↓ called →", "照片里 ↓ 判成 →"),
    "bad-at": ("What it is bad at", "它不擅长什么"),
    "weaknesses": (
        WEAKNESSES,
        "画、玩具和毛绒：它只见过照片。长得像猫狗的动物（狐狸、狼、狮子、兔子、浣熊、小熊猫）可能被认成猫或狗，训练时没见过的种类尤其如此。"
        "小于照片五分之一或互相遮挡的宠物会漏掉。它不懂品种，不认识个体，对人一无所知。",
    ),
    "examples": (
        "Of the {n} example photos on this page it gets {wrong} wrong; the worst:",
        "本页的 {n} 张示例照片里，它错了 {wrong} 张；错得最厉害的：",
    ),
    "alt": (
        "The example, with the places that speak for a cat or a dog in color.",
        "示例照片，支持猫或狗的位置有颜色。",
    ),
    "called": ("Called:", "判成："),
    "shows": ("shows:", "其实是："),
    "origin": ("What it was made from", "它是怎么来的"),
    "network": (
        "{architecture}, shown photos of {size} pixels on the short side.",
        "{architecture}，看短边 {size} 像素的照片。",
    ),
    "thresholds": (
        "“Neither” where the larger probability is below {present}, “both” where the smaller one reaches {both}.",
        "较大的概率低于 {present} 时判“都没有”，较小的达到 {both} 时判“都有”。",
    ),
    "trained": (
        "The last run took {epochs} epochs and kept number {best}; commit {commit}.",
        "最后一次训练了 {epochs} 轮，保留了第 {best} 轮；提交 {commit}。",
    ),
    "source": ("source and label", "来源与标签"),
    "training-photos": ("training photos", "训练照片"),
    "tuning-photos": ("tuning photos", "调参照片"),
    "card": ("The model card, in full (English)", "完整的模型说明（英文）"),
}

# The groups below are named by codes of the program: of labels, verdicts and errors.

LABEL = {"cat": ("Cat", "猫"), "dog": ("Dog", "狗")}

VERDICT = {
    "cat": ("A cat", "有猫"),
    "dog": ("A dog", "有狗"),
    "both": ("A cat and a dog", "有猫也有狗"),
    "neither": ("Neither a cat nor a dog", "没有猫，也没有狗"),
}

ALT = {  # of the picture with the evidence, by what is shown of it
    "both": (
        "The photo with the places that speak for a cat in {cat} and those that speak for a dog in {dog}.",
        "照片，支持猫的位置标成{cat}，支持狗的位置标成{dog}。",
    ),
    "cat": ("The photo with the places that speak for a cat in {cat}.", "照片，支持猫的位置标成{cat}。"),
    "dog": ("The photo with the places that speak for a dog in {dog}.", "照片，支持狗的位置标成{dog}。"),
    "difference": (
        "The photo with the places that speak more for a cat in {cat} and those that speak more for a dog in {dog}.",
        "照片，更支持猫的位置标成{cat}，更支持狗的位置标成{dog}。",
    ),
    "photo": ("The photo without evidence.", "不带证据的照片。"),
}

COLOR = {
    "orange": ("orange", "橙色"),
    "blue": ("blue", "蓝色"),
    "yellow": ("yellow", "黄色"),
    "violet": ("violet", "紫色"),
    "red": ("red", "红色"),
    "teal": ("teal", "青色"),
}

DEGREE = {  # how much a spot speaks for a label, before "a cat" or "猫"
    "strongly": ("strongly for", "强烈支持"),
    "for": ("for", "支持"),
    "hardly": ("hardly for or against", "几乎不支持也不反对"),
    "against": ("against", "反对"),
}

PERCENT = {  # rounded towards doubt, as by metrics.percent
    "over": ("over 99%", "超过 99%"),
    "under": ("under 1%", "不到 1%"),
    "exact": ("{percent}%", "{percent}%"),
}

PROBLEM = {
    "missing": ("The photo did not arrive. Please try again.", "照片没有传到，请再试一次。"),
    "empty": ("This file is empty.", "这个文件是空的。"),
    "unknown-type": (
        "This is not a picture that can be read. Use JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
        "这不是能读的图片。请用 JPEG、PNG、WebP、GIF、BMP、TIFF、AVIF 或 HEIC。",
    ),
    "damaged": (
        "This picture is damaged or cut off and cannot be read to its end.",
        "这张图片已损坏或不完整，无法读到结尾。",
    ),
    "too-large": ("This picture is too large.", "这张图片太大了。"),
    "too-long": ("This picture is too long and narrow to show a pet.", "这张图片太狭长，看不出宠物。"),
    "bad-array": ("This is not a picture that can be read.", "这不是能读的图片。"),
    "busy": ("Many people are looking just now: please wait a moment.", "现在看的人很多，请稍等。"),
    "unanswered": ("There was no answer. Please try again.", "没有得到回答，请再试一次。"),
}

SHOW = {  # which of many photos
    "all": ("All ({count})", "全部（{count}）"),
    "cat": ("A cat ({count})", "有猫（{count}）"),
    "dog": ("A dog ({count})", "有狗（{count}）"),
    "both": ("Both ({count})", "都有（{count}）"),
    "neither": ("Neither ({count})", "都没有（{count}）"),
    "unreadable": ("Cannot be read ({count})", "无法读取（{count}）"),
}

ORDER = {
    "given": ("as given", "原来的顺序"),
    "doubt": ("most in doubt first", "最拿不准的在前"),
    "verdict": ("by verdict", "按结论"),
}

ZIP = {  # why a zip is not opened
    "damaged": ("This zip is damaged or cut off.", "这个 zip 已损坏或不完整。"),
    "encrypted": ("This zip is locked by a password.", "这个 zip 有密码。"),
    "method": (
        "This zip is packed in an unusual way. Make it anew with the usual compression.",
        "这个 zip 的压缩方式不常见，请用普通压缩方式重新打包。",
    ),
    "nested": ("There is a zip in this zip. Unpack it first.", "这个 zip 里还有 zip，请先解压。"),
    "names": (
        "This zip names files outside of itself, so it is not opened.",
        "这个 zip 里的文件名指向它之外，所以没有打开。",
    ),
    "bomb": (
        "This zip unpacks to far more than photos need, so it is not opened.",
        "这个 zip 解压后大得不像照片，所以没有打开。",
    ),
}

CAMERA = {  # why the live tab has stopped or cannot start
    "refused": (
        "The camera was refused. Allow it in the browser's settings for this page and start again.",
        "摄像头没有获得许可。请在浏览器里允许本页使用摄像头，再重新打开。",
    ),
    "no-camera": ("There is no such camera.", "没有找到这样的摄像头。"),
    "busy": ("The camera cannot be used; another program may be using it.", "摄像头无法使用，可能正被其他程序占用。"),
    "unplugged": ("The camera is gone. Plug it in and start again.", "摄像头断开了，请接好后重新打开。"),
    "insecure": (
        "Browsers open the camera only over https or on this machine itself.",
        "浏览器只在 https 或本机地址下打开摄像头。",
    ),
    "hidden": ("Stopped, because you looked elsewhere.", "因为你离开了，摄像头已停止。"),
}

PASTE = {  # why the clipboard gives no picture
    "refused": (
        "The clipboard was refused. Allow it in the browser's settings for this page, or press Ctrl+V.",
        "剪贴板没有获得许可。请在浏览器里允许本页使用剪贴板，或按 Ctrl+V。",
    ),
    "nothing": ("There is no picture in the clipboard.", "剪贴板里没有图片。"),
}

FIGURE = {  # rates on held-out photos
    "verdict": ("the verdict is right", "结论正确"),
    "two-way": ("pets: cat or dog is right", "宠物：猫狗分对"),
    "source": ("pets from {source}", "来自 {source} 的宠物"),
    "negatives": ("photos of other things: called neither", "其他照片：判为都没有"),
    "both": ("photos of both: called both", "两者都有的照片：判为都有"),
    "side-by-side": ("two photos put together, side by side: called both", "两张照片左右拼接：判为都有"),
    "at-a-half": ("one pasted into the other at a half of its size: called both", "一张以一半大小贴进另一张：判为都有"),
    "at-a-third": ("the same at a third: called both", "以三分之一大小：判为都有"),
    "at-a-fifth": ("the same at a fifth: called both", "以五分之一大小：判为都有"),
    "peak": ("the map's peak is on the pet", "证据图的最高点落在宠物上"),
    "box": ("the box fits the pet", "方框框住宠物"),
    "called-neither": ("pets called neither", "宠物被判为都没有"),
    "called-both": ("single pets called both", "单只宠物被判为都有"),
    "sure-pet": ("other things called a pet with 90% or more", "其他照片以 90% 以上判为宠物"),
}

KIND = {
    "cat": ("cat", "猫"),
    "dog": ("dog", "狗"),
    "both": ("both", "都有"),
    "neither": ("neither", "都没有"),
}

CALIBRATION = {
    "cat": (
        "Calibration error of the cat's probability: {error}; a perfect one would have {chance} by chance ({n} pets).",
        "猫的概率的校准误差：{error}；完美校准时偶然也会有 {chance}（{n} 张宠物照片）。",
    ),
    "dog": (
        "Calibration error of the dog's probability: {error}; a perfect one would have {chance} by chance ({n} pets).",
        "狗的概率的校准误差：{error}；完美校准时偶然也会有 {chance}（{n} 张宠物照片）。",
    ),
}

GROUPS = {
    "page": PAGE,
    "gradio": GRADIO,
    "photo": PHOTO,
    "look": LOOK,
    "live": LIVE,
    "many": MANY,
    "good": GOOD,
    "label": LABEL,
    "verdict": VERDICT,
    "alt": ALT,
    "color": COLOR,
    "degree": DEGREE,
    "percent": PERCENT,
    "problem": PROBLEM,
    "show": SHOW,
    "order": ORDER,
    "zip": ZIP,
    "camera": CAMERA,
    "paste": PASTE,
    "figure": FIGURE,
    "kind": KIND,
    "calibration": CALIBRATION,
}
WORDS = {f"{group}.{name}": pair for group, entries in GROUPS.items() for name, pair in entries.items()}


def dictionaries() -> dict[str, dict[str, str]]:
    """Language -> code -> words."""
    return {language: {code: pair[place] for code, pair in WORDS.items()} for place, language in enumerate(LANGUAGES)}


def translations() -> gr.I18n:
    """Our words for the labels of Gradio's components, under the names that Gradio has for Chinese."""
    both = dictionaries()
    return gr.I18n(**{"en": both["en"], "zh": both["zh"], "zh-CN": both["zh"], "zh-TW": both["zh"]})


def label(code: str) -> Any:  # gr.I18nData, which Gradio takes for a text and its types do not
    """What a Gradio component takes for its label, and words in the browser."""
    WORDS[code]  # an unknown code fails here, not on the page
    return I18nData(code)


def tagged(code: str, tag: str = "p", values: dict[str, Any] | None = None, **attributes: str) -> str:
    """An HTML element that is worded in the browser; until then it holds the English words.

    Args:
        code: of its words.
        tag: the element's.
        values: what the braces in the words are filled with.
        attributes: more of the element's attributes; `classes` stands for `class`.
    """
    if "classes" in attributes:
        attributes["class"] = attributes.pop("classes")
    if values:
        attributes["data-values"] = json.dumps(values)
    shown = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())
    content = WORDS[code][0].format(**values or {})
    return f'<{tag} data-word="{code}"{shown}>{html.escape(content)}</{tag}>'


def text(content: str, **options: Any) -> gr.HTML:
    """A component of our own HTML whose tagged elements are worded when it appears and whenever it changes."""
    return gr.HTML(content, js_on_load="catdog.fill(element); watch('value', () => catdog.fill(element));", **options)


def script() -> str:
    """The words and what puts them on the page, as JavaScript."""
    source = (Path(__file__).parent / "words.js").read_text(encoding="utf-8")
    words = json.dumps(dictionaries(), ensure_ascii=False).replace("<", "\\u003c")
    return source.replace("WORDS_BY_LANGUAGE", words, 1)
