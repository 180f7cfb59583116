/** An elementwise function of a feed-forward block or a gate. */
export type Activation =
  | 'silu'
  /** The tanh form. */
  | 'gelu'
  | 'gelu-erf'
  /** x * sigmoid(1.702 x) */
  | 'gelu-quick'
  | 'relu'
  | 'relu-squared'
  | 'sigmoid'
  | 'tanh'
  /** log(1 + exp(x)) */
  | 'softplus'
  | Xielu;

/** x > 0: positive * x² + beta * x; else negative * (expm1(min(x, epsilon)) - x) + beta * x. */
export interface Xielu {
  readonly kind: 'xielu';
  readonly positive: number;
  readonly negative: number;
  readonly beta: number;
  readonly epsilon: number;
}

/** Bounds on the two halves of activation(gate) * up; absent = none. */
export interface GateLimits {
  /** The gate is at most this before its activation. */
  readonly gate?: number;
  /** The gate is at most this after its activation. */
  readonly activated?: number;
  /** Up stays within ± this. */
  readonly up?: number;
  /** Added to up after that. @default 0 */
  readonly upOffset?: number;
}
