import type { Metadata } from 'next';
import Link from 'next/link';
import type { ReactNode } from 'react';
import './globals.css';

export const metadata: Metadata = {
  title: 'rivulet chat',
  description: 'A local model in a Next.js application',
};

export default function RootLayout({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <html lang="en">
      <body>
        <header className="bar">
          <span className="brand">rivulet</span>
          <nav>
            <Link href="/">Chat</Link>
            <Link href="/recipe">Structured output</Link>
          </nav>
        </header>
        {children}
      </body>
    </html>
  );
}
