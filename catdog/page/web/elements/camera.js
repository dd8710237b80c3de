// The camera: opened, changed and closed, its frames one after another, and why it cannot be had.

const WANTED = { width: { ideal: 960 }, height: { ideal: 720 }, frameRate: { ideal: 24 } }; // more costs, and shows no more
const QUALITY = 0.92; // of the JPEG that becomes a photo
/** @type {Record<string, string>} */
const PROBLEMS = {
    NotAllowedError: "refused",
    SecurityError: "refused",
    NotFoundError: "none",
    OverconstrainedError: "none",
};

/** Why there is no camera, as a code of its words: `refused`, `none`, `taken`, `insecure`, `unplugged`, `paused`. */
export class CameraError extends Error {
    /** @param {string} code */
    constructor(code) {
        super(code);
        this.code = code;
    }
}

/**
 * What a browser's error means to a visitor.
 * @param {{name: string}} error
 */
export const problemOf = ({ name }) => PROBLEMS[name] ?? "taken";

/** Whether this is a phone or a tablet, held towards what one wants to see. */
const handheld = () => matchMedia("(pointer: coarse) and (hover: none)").matches;

export class Camera {
    /** @type {MediaStream | null} */
    #stream = null;
    #attempt = 0;
    /** @type {string | null} */
    #device = null; // chosen by its id, where cameras do not say which way they look
    #facing = handheld() ? "environment" : "user";

    /**
     * @param {() => void} onFrame each time there is another picture
     * @param {(code: string | null) => void} onProblem when a camera that was open is `unplugged`, which ends it, `paused` by
     *   the system, or goes on (null)
     */
    constructor(onFrame, onProblem) {
        this.onFrame = onFrame;
        this.onProblem = onProblem;
        /** Plays what the camera sees, while it is open. */
        this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    }

    /**
     * Open the camera; it asks the visitor where need be. False if it was closed or opened again meanwhile.
     * @throws {CameraError}
     */
    async open() {
        this.close();
        const attempt = ++this.#attempt;
        if (!navigator.mediaDevices?.getUserMedia) throw new CameraError("insecure");
        /** @type {MediaTrackConstraints} */
        const which = this.#device ? { deviceId: { exact: this.#device } } : { facingMode: this.#facing };
        let stream;
        try {
            stream = await navigator.mediaDevices.getUserMedia({ video: { ...WANTED, ...which }, audio: false });
            if (attempt !== this.#attempt) return stop(stream);
            this.#stream = this.video.srcObject = stream;
            await this.video.play();
        } catch (error) {
            if (attempt !== this.#attempt) return false;
            this.close();
            this.#device = null; // one that is gone must not be asked for again
            throw new CameraError(problemOf(/** @type {DOMException} */ (error)));
        }
        if (attempt !== this.#attempt) return false;
        this.#listen(stream);
        this.#watch(stream);
        return true;
    }

    close() {
        this.#attempt++;
        if (this.#stream) stop(this.#stream);
        this.#stream = this.video.srcObject = null;
    }

    /** Play on: browsers pause a film that is moved to another place of the page. */
    resume() {
        if (this.#stream && this.video.paused) this.video.play().catch(() => {}); // refused only if it is closed meanwhile
    }

    /** One's own face is expected as in a mirror; what a phone is held towards is not. */
    get facesVisitor() {
        return (this.#settings.facingMode ?? this.#facing) !== "environment";
    }

    /** How many cameras there are; known once one of them was allowed. */
    async count() {
        return (await cameras()).length;
    }

    /** The next camera of a computer, or the one on a phone's other side; `open` opens it. */
    async chooseOther() {
        const { deviceId, facingMode } = this.#settings;
        const ids = facingMode ? [] : (await cameras()).map((camera) => camera.deviceId);
        if (ids.length > 1) this.#device = ids[(ids.indexOf(deviceId ?? "") + 1) % ids.length];
        else this.#facing = (facingMode ?? this.#facing) === "user" ? "environment" : "user";
    }

    /**
     * The picture that is shown now, kept.
     * @param {number} [side] px of the short side at most
     */
    still(side = Infinity) {
        const { videoWidth, videoHeight } = this.video;
        const times = Math.min(1, side / Math.min(videoWidth, videoHeight));
        const canvas = document.createElement("canvas");
        canvas.width = Math.round(videoWidth * times);
        canvas.height = Math.round(videoHeight * times);
        canvas.getContext("2d")?.drawImage(this.video, 0, 0, canvas.width, canvas.height);
        return canvas;
    }

    /**
     * The same as a photo of the camera's full size.
     * @returns {Promise<Blob>}
     */
    photo() {
        return new Promise((resolve, reject) =>
            this.still().toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no photo"))), "image/jpeg", QUALITY));
    }

    get #settings() {
        return this.#stream?.getVideoTracks()[0]?.getSettings() ?? {};
    }

    /** @param {MediaStream} stream */
    #listen(stream) {
        const [track] = stream.getVideoTracks();
        const tell = (/** @type {string | null} */ code) => this.#stream === stream && this.onProblem(code);
        track.addEventListener("ended", () => tell("unplugged"));
        track.addEventListener("mute", () => tell("paused"));
        track.addEventListener("unmute", () => tell(null));
    }

    /** @param {MediaStream} stream */
    #watch(stream) {
        whenNextFrame(this.video, () => {
            if (this.#stream !== stream) return;
            this.onFrame();
            this.#watch(stream);
        });
    }
}

/** @param {HTMLVideoElement} video @param {() => void} callback */
const whenNextFrame = (video, callback) => {
    if (video.requestVideoFrameCallback) return void video.requestVideoFrameCallback(callback);
    const before = video.currentTime;
    const look = () => (video.currentTime === before && video.srcObject ? requestAnimationFrame(look) : callback());
    requestAnimationFrame(look);
};

const cameras = async () =>
    (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");

/** @param {MediaStream} stream */
const stop = (stream) => {
    for (const track of stream.getTracks()) track.stop();
    return false;
};
