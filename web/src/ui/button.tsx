import type { ButtonHTMLAttributes, Ref } from "react";
import { Icon, type IconName } from "./icons";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "plain" | "primary" | "quiet" | "danger";
  icon?: IconName;
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ look = "plain", icon, small, className, children, type = "button", ...rest }: ButtonProps) {
  const classes = ["button", `button-${look}`, small && "button-small", className].filter(Boolean).join(" ");
  return (
    <button type={type} className={classes} {...rest}>
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  icon: IconName;
  /** What it does: read out, and shown when pointed at. */
  label: string;
  pressed?: boolean;
  filled?: boolean;
  small?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, pressed, filled, small, className, type = "button", ...rest }: IconButtonProps) {
  const classes = ["icon-button", small && "icon-button-small", className].filter(Boolean).join(" ");
  return (
    <button type={type} className={classes} aria-label={label} title={label} aria-pressed={pressed} {...rest}>
      <Icon name={icon} size={small ? 16 : 20} filled={filled ?? pressed ?? false} />
    </button>
  );
}
